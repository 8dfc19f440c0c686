"""Adversarial training as somebody writes it who knows PyTorch well.

Channels last, bfloat16 by autocast, gradients of the images alone while attacking, updates of the images in place, a fused
optimizer, and `torch.compile` where asked for. On a CUDA device also cuDNN's own search for algorithms, and the whole step as
one CUDA graph where asked for.
"""

import torch
import torch.nn.functional as F

import harness


class Training:
    def __init__(self, options):
        self.steps = options.attack_steps
        self.kind = torch.device(options.device).type
        torch.backends.cudnn.benchmark = True
        self.network = harness.read_network(options).to(memory_format=torch.channels_last)
        self.parameters = list(self.network.parameters())
        self.call = torch.compile(self.network) if options.compile == "yes" else self.network
        self.batch = harness.read_batch(options)
        self.batch.images = self.batch.images.contiguous(memory_format=torch.channels_last)
        self.batch.noise = self.batch.noise.contiguous(memory_format=torch.channels_last)
        self.optimizer = torch.optim.SGD(
            self.parameters, lr=0.01, momentum=0.9, weight_decay=2e-4, fused=True
        )

    def logits(self, images: torch.Tensor) -> torch.Tensor:
        return self.call(images).float()

    def attack(self) -> torch.Tensor:
        images, labels = self.batch.images, self.batch.labels
        low, high = images - harness.EPSILON, images + harness.EPSILON
        low.clamp_(min=0)
        high.clamp_(max=1)
        self.network.eval()
        for parameter in self.parameters:
            parameter.requires_grad_(False)
        attacked = torch.clamp(images + self.batch.noise, low, high)
        with torch.autocast(self.kind, torch.bfloat16):
            for _ in range(self.steps):
                attacked.requires_grad_()
                loss = F.cross_entropy(self.logits(attacked), labels, reduction="sum")
                (gradient,) = torch.autograd.grad(loss, attacked)
                attacked = attacked.detach()
                attacked.add_(gradient.sign_(), alpha=harness.STEP_SIZE)
                torch.clamp(attacked, low, high, out=attacked)
        for parameter in self.parameters:
            parameter.requires_grad_(True)
        return attacked

    def update(self, attacked: torch.Tensor) -> torch.Tensor:
        self.network.train()
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self.kind, torch.bfloat16):
            loss = F.cross_entropy(self.logits(attacked), self.batch.labels)
        loss.backward()
        self.optimizer.step()
        return loss.detach()


def main() -> None:
    options = harness.arguments(
        compile=["no", "yes"], work=["train", "attack"], graph=["no", "yes"]
    )
    recorded = harness.graphed if options.graph == "yes" else lambda work: work
    training = Training(options)
    attacked = training.attack()
    facts = {"attacked_loss": harness.mean_loss(training.network, attacked, training.batch.labels)}
    if options.work == "attack":
        harness.serve(options, facts, recorded(training.attack))
        return
    facts["training_loss"] = training.update(attacked).item()
    harness.serve(options, facts, recorded(lambda: training.update(training.attack())))


if __name__ == "__main__":
    main()
