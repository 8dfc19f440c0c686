"""A step that trains both estimators by Equation 5 on a fixed network, with the authors' passes, in eager float32.

The network runs once for each set of labels and once for each of four estimates, and features are computed anew for every
estimate.
"""

import torch

import harness
from namid_passes import attack


def losses(network, estimators, batch: harness.Batch, attacked: torch.Tensor) -> list[torch.Tensor]:
    """The loss of the natural and of the adversarial estimator; none without samples that were flipped."""
    right = network(batch.images).argmax(1) == batch.labels
    flipped = right & (network(attacked).argmax(1) != batch.labels)
    if not flipped.any():
        return []
    natural, adversarial = estimators
    noise = attacked - batch.images

    def contrast(estimator, patterns, raised, lowered) -> torch.Tensor:
        gain = estimator.losses(patterns, network(raised))[flipped].mean()
        other = estimator.losses(patterns, network(lowered))[flipped]
        return gain + (-other).clamp(min=0).mean()

    return [
        contrast(natural, batch.images, batch.images, attacked),
        contrast(adversarial, noise, attacked, batch.images),
    ]


def main() -> None:
    options = harness.arguments()
    network, batch = harness.read_network(options), harness.read_batch(options)
    network.eval()
    estimators = harness.read_estimators(options)
    optimizers = [torch.optim.Adam(estimator.parameters(), lr=1e-3) for estimator in estimators]

    def step() -> list[float]:
        attacked = attack(network, batch, options.attack_steps)
        found = losses(network, estimators, batch, attacked)
        for loss, optimizer in zip(found, optimizers):
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return [loss.item() for loss in found]

    first = step()
    harness.serve(options, {"training_loss": sum(first)}, step)


if __name__ == "__main__":
    main()
