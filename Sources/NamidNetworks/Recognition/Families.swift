/// A family of networks, whose members are told by names and shapes alone.
struct NetworkFamily: Sendable {
  /// The architecture that builds the members.
  let architecture: Architecture
  /// The path of the first convolution, by which the family is found in a file.
  let stem: String
  /// The path of the last linear layer.
  let classifier: String
  /// Reads a design; nil for a file of another family.
  let design: @Sendable (StateLayout) -> NetworkDesign?
  /// Sentences on what names and shapes do not tell and was assumed.
  var notes: @Sendable (NetworkDesign) -> [String] = { _ in [] }

  static let all: [NetworkFamily] =
    [resNet(.cifar), resNet(.torchvision)]
    + [.wideResNet, .deepMind, .cifar, .deepMindPreActivation, .stages, .stagesWithNorm].map(
      preActivation) + [vgg]

  private static func resNet(_ naming: NetworkDesign.Naming) -> NetworkFamily {
    let classifier = naming == .torchvision ? "fc" : "linear"
    return NetworkFamily(
      architecture: .resNet, stem: "conv1", classifier: classifier
    ) { layout in
      // A pre-activation network has no norm behind its first convolution.
      guard let stem = layout.filter("conv1"), layout.has("bn1.weight"),
        layout.matrix(classifier) != nil
      else { return nil }
      var design = NetworkDesign()
      (design.naming, design.stemChannels) = (naming, stem[0])
      design.stem = stem[2] == 7 ? .imageNet : .small
      (design.depths, design.widths) = layout.stages { "layer\($0 + 1).\($1).conv1" }
      design.hasBottlenecks = layout.has("layer1.0.conv3.weight")
      design.hasClassifierBias = layout.has(classifier + ".bias")
      return design
    }
  }

  private static func preActivation(_ naming: NetworkDesign.Naming) -> NetworkFamily {
    let names = PreActivationNames(naming)
    let block = { @Sendable (stage: Int, place: Int) in
      names.block(stage, place).joined(separator: ".")
    }
    let isDeepMind = [.deepMind, .deepMindPreActivation].contains(naming)
    return NetworkFamily(
      architecture: .preActResNet, stem: names.stem, classifier: names.classifier
    ) { layout in
      guard let stem = layout.filter(names.stem), layout.matrix(names.classifier) != nil,
        naming != .cifar || !layout.has("bn1.weight")
      else { return nil }
      var design = NetworkDesign()
      (design.naming, design.stemChannels) = (naming, stem[0])
      (design.depths, design.widths) = layout.stages { "\(block($0, $1)).\(names.convolutions[0])" }
      design.hasFinalNorm = layout.has(names.norm + ".weight")
      design.hasClassifierBias = layout.has(names.classifier + ".bias")
      let shortcuts = design.depths.indices.lazy.compactMap {
        layout.filter(([block($0, 0)] + names.shortcut).joined(separator: "."))
      }
      design.shortcutKernel = shortcuts.first?[2] ?? 1
      design.hasSqueezeExcitation = layout.has("\(block(0, 0)).se.fc1.weight")
      design.hasMeanSparsity = layout.has("\(block(0, 0)).meansparse_0.running_mean")
      design.padsAfterImage = isDeepMind
      if naming == .deepMindPreActivation || (naming == .cifar && !design.hasFinalNorm) {
        design.shortcut = .raw
      }
      if layout.has("activation.alpha") {
        design.activation = .parametricShiftedSiLU
      } else if isDeepMind || naming == .stagesWithNorm {
        design.activation = .silu
      }
      return design
    } notes: { design in
      var notes: [String] = []
      if naming == .cifar {
        notes.append(
          """
          names do not tell what the shortcuts of a PreActResNet read: taken as \(design.shortcut.rawValue), as is usual \
          \(design.hasFinalNorm ? "with" : "without") a last norm; the other is --variant \
          shortcut=\(design.shortcut == .raw ? "activated" : "raw")
          """)
      }
      if naming == .wideResNet && !design.hasClassifierBias && design.head == .linear {
        notes.append(
          "the last layer has no bias; a network whose logits are cosines (Pang et al., 2020) needs --variant head=cosine"
        )
      }
      return notes
    }
  }

  private static let vgg = NetworkFamily(
    architecture: .vgg, stem: "features.0", classifier: "classifier"
  ) { layout in
    guard let stem = layout.filter("features.0") else { return nil }
    var design = NetworkDesign()
    (design.naming, design.stemChannels, design.depths, design.widths) = (
      .features, stem[0], [], []
    )
    design.hasBatchNorm = layout.shapes["features.1.weight"]?.count == 1
    let step = design.hasBatchNorm ? 3 : 2
    var (number, isNewStage) = (0, true)
    while let weight = layout.filter("features.\(number)"), design.depths.reduce(0, +) < 256 {
      if isNewStage {
        design.depths.append(0)
        design.widths.append(weight[0])
      }
      design.depths[design.depths.count - 1] += 1
      number += step
      // A pooling has a number of its own.
      isNewStage = layout.filter("features.\(number)") == nil
      if isNewStage { number += 1 }
    }
    if layout.matrix("classifier") == nil {
      let layers = [0, 3, 6].compactMap { layout.matrix("classifier.\($0)") }
      design.hiddenUnits = layers.dropLast().map { $0[0] }
      let cells = Double(layers.first?[1] ?? 0) / Double(design.widths.last ?? 1)
      design.pooledSide = max(1, Int(cells.squareRoot()))
    }
    return design
  }
}
