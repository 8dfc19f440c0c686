"""Adversarial training as most robustness code runs it: eager, float32, contiguous memory.

The attack calls `backward()`, so gradients of the weights are computed in every step and thrown away.
"""

import torch
import torch.nn.functional as F

import harness


def attack(network, batch: harness.Batch, steps: int) -> torch.Tensor:
    network.eval()
    attacked = harness.project(batch.images + batch.noise, batch.images)
    for _ in range(steps):
        attacked = attacked.detach().requires_grad_()
        network.zero_grad()
        F.cross_entropy(network(attacked), batch.labels).backward()
        with torch.no_grad():
            attacked = attacked + harness.STEP_SIZE * attacked.grad.sign()
            attacked = harness.project(attacked, batch.images)
    return attacked.detach()


def update(network, optimizer, attacked: torch.Tensor, labels: torch.Tensor) -> float:
    network.train()
    optimizer.zero_grad()
    loss = F.cross_entropy(network(attacked), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


def main() -> None:
    options = harness.arguments()
    network, batch = harness.read_network(options), harness.read_batch(options)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, weight_decay=2e-4)
    attacked = attack(network, batch, options.attack_steps)
    facts = {"attacked_loss": harness.mean_loss(network, attacked, batch.labels)}
    facts["training_loss"] = update(network, optimizer, attacked, batch.labels)

    def step() -> None:
        update(network, optimizer, attack(network, batch, options.attack_steps), batch.labels)

    harness.serve(options, facts, step)


if __name__ == "__main__":
    main()
