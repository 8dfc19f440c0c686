"""PGD of the package torchattacks: in a standard training loop, or to measure robust accuracy.

Its random start is its own (uniform in the ball), so losses agree with the others' only about.
"""

import torch
import torchattacks

import harness
from eager import update


def train(options, network, attack) -> None:
    batch = harness.read_batch(options)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, weight_decay=2e-4)
    network.train()
    attacked = attack(batch.images, batch.labels)
    facts = {"attacked_loss": harness.mean_loss(network, attacked, batch.labels)}
    facts["training_loss"] = update(network, optimizer, attacked, batch.labels)

    def step() -> None:
        update(network, optimizer, attack(batch.images, batch.labels), batch.labels)

    harness.serve(options, facts, step)


def evaluate(options, network, attack) -> None:
    network.eval()
    data = harness.read_batch(options, whole=True)
    size = options.batch_size
    found: list[float] = []

    def measure(count: int) -> None:
        right = 0
        for start in range(0, count, size):
            part = data[start : start + size]
            attacked = attack(part.images, part.labels)
            with torch.no_grad():
                right += (network(attacked).argmax(1) == part.labels).sum().item()
        found.append(right / count)

    with torch.no_grad():
        clean = sum(
            (network(data[i : i + size].images).argmax(1) == data[i : i + size].labels).sum().item()
            for i in range(0, len(data.labels), size)
        )
    # The first pass is part of the work of the facts and warms up for what is measured.
    measure(len(data.labels))
    facts = {"clean_share": clean / len(data.labels), "robust_share": found[0]}
    harness.serve(options, facts, lambda: measure(len(data.labels)))


def main() -> None:
    options = harness.arguments(work=["train", "evaluate"])
    torch.manual_seed(0)
    network = harness.read_network(options)
    attack = torchattacks.PGD(
        network, eps=harness.EPSILON, alpha=harness.STEP_SIZE, steps=options.attack_steps, random_start=True
    )
    train(options, network, attack) if options.work == "train" else evaluate(options, network, attack)


if __name__ == "__main__":
    main()
