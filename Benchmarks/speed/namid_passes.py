"""A training step of NAMID with the passes that the authors' program makes, in eager float32.

Seven forward passes of the network per update (the loss, both sets of labels, and one for each of four estimates), and the
features of images and of noise are computed anew for every estimate. By default the estimators are not frozen, as theirs
are not: gradients of their weights are computed and never used.
"""

import torch
import torch.nn.functional as F

import harness

ALPHA, LAMBDA = 5.0, 0.1


def attack(network, batch: harness.Batch, steps: int) -> torch.Tensor:
    network.eval()
    attacked = harness.project(batch.images + batch.noise, batch.images)
    for _ in range(steps):
        attacked = attacked.detach().requires_grad_()
        loss = F.cross_entropy(network(attacked), batch.labels)
        (gradient,) = torch.autograd.grad(loss, attacked)
        attacked = harness.project(attacked.detach() + harness.STEP_SIZE * gradient.sign(), batch.images)
    return attacked.detach()


def information_loss(network, estimators, batch: harness.Batch, attacked: torch.Tensor) -> torch.Tensor:
    """Equation 8 on the samples that are right unattacked and wrong attacked; passes 2 to 7."""
    natural_labels = network(batch.images).argmax(1)
    attacked_labels = network(attacked).argmax(1)
    flipped = ((natural_labels == batch.labels) & (attacked_labels != batch.labels)).float()
    count = flipped.sum()
    if count == 0:
        return torch.zeros((), device=attacked.device)
    natural, adversarial = estimators
    noise = attacked - batch.images

    def estimate(estimator, patterns, images) -> torch.Tensor:
        return estimator.losses(patterns, network(images)) * flipped

    def cosine(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return (1 - F.cosine_similarity(a, b, dim=0)).abs()

    n_natural = estimate(natural, batch.images, batch.images)
    n_attacked = estimate(natural, batch.images, attacked)
    a_attacked = estimate(adversarial, noise, attacked)
    a_natural = estimate(adversarial, noise, batch.images)
    raised = n_attacked.sum() / count - a_attacked.sum() / count
    return cosine(n_natural, n_attacked) + cosine(a_natural, a_attacked) + LAMBDA * raised


def update(network, estimators, optimizer, batch: harness.Batch, attacked: torch.Tensor) -> float:
    network.train()
    loss = F.cross_entropy(network(attacked), batch.labels)
    loss = loss + ALPHA * information_loss(network, estimators, batch, attacked)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def main() -> None:
    options = harness.arguments(frozen=["no", "yes"])
    network, batch = harness.read_network(options), harness.read_batch(options)
    estimators = harness.read_estimators(options)
    for estimator in estimators:
        estimator.eval().requires_grad_(options.frozen == "no")
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, weight_decay=2e-4)
    attacked = attack(network, batch, options.attack_steps)
    facts = {"attacked_loss": harness.mean_loss(network, attacked, batch.labels)}
    facts["training_loss"] = update(network, estimators, optimizer, batch, attacked)

    def step() -> None:
        update(network, estimators, optimizer, batch, attack(network, batch, options.attack_steps))

    harness.serve(options, facts, step)


if __name__ == "__main__":
    main()
