// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "namid",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "namid", targets: ["namid"]),
    .library(
      name: "NamidLibraries",
      targets: [
        "Records", "Torch", "NeuralNetworks", "Datasets", "Models", "MutualInformation", "Attacks",
        "Defenses", "Evaluation", "Training",
      ]),
  ],
  dependencies: [
    .package(path: "Engine"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    .target(name: "Records", dependencies: ["Yams"]),
    .target(name: "Torch", dependencies: ["Records", .product(name: "CTorch", package: "Engine")]),
    .target(name: "NeuralNetworks", dependencies: ["Torch"]),
    .target(
      name: "CImaging",
      linkerSettings: [.linkedLibrary("jpeg"), .linkedLibrary("png"), .linkedLibrary("z")]),
    .target(name: "Datasets", dependencies: ["CImaging", "Records", "Torch"]),
    .target(name: "Models", dependencies: ["Torch", "NeuralNetworks", "Records"]),
    .target(name: "MutualInformation", dependencies: ["Torch", "NeuralNetworks", "Records"]),
    .target(name: "Attacks", dependencies: ["Torch", "NeuralNetworks", "Records"]),
    .target(
      name: "Defenses",
      dependencies: [
        "NeuralNetworks", "Records", "Torch", "Attacks", "Datasets", "Models", "MutualInformation",
      ]),
    .target(
      name: "Evaluation",
      dependencies: ["NeuralNetworks", "Torch", "Attacks", "Datasets", "Models", "Records"]),
    .target(
      name: "Training",
      dependencies: [
        "Attacks", "Datasets", "Models", "MutualInformation", "NeuralNetworks", "Torch", "Defenses",
        "Evaluation", "Records",
      ]),
    .target(
      name: "Experiments",
      dependencies: [
        "Attacks", "Datasets", "Defenses", "Evaluation", "Models", "MutualInformation",
        "NeuralNetworks", "Records", "Torch", "Training",
      ]),
    .executableTarget(
      name: "namid",
      dependencies: [
        "Attacks", "Datasets", "Defenses", "Evaluation", "Models", "MutualInformation",
        "NeuralNetworks", "Records", "Torch", "Training", "Experiments",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .testTarget(name: "RecordsTests", dependencies: ["Records"]),
    .target(
      name: "TestSupport", dependencies: ["Torch", "NeuralNetworks"], path: "Tests/Support"),
    .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),
    .testTarget(
      name: "TorchTests", dependencies: ["Torch", "TestSupport", "AllocationCounter"],
      exclude: ["Schemas.txt"]),
    .testTarget(
      name: "NeuralNetworksTests", dependencies: ["Torch", "NeuralNetworks", "TestSupport"]),
    .testTarget(
      name: "ModelsTests", dependencies: ["NeuralNetworks", "Torch", "Models", "TestSupport"]),
    .testTarget(
      name: "MutualInformationTests",
      dependencies: ["NeuralNetworks", "Torch", "MutualInformation", "TestSupport"]),
    .testTarget(
      name: "AttacksTests",
      dependencies: ["NeuralNetworks", "Records", "Torch", "Attacks", "TestSupport"]),
    .target(
      name: "RunFixtures", dependencies: ["Torch", "Datasets"], path: "Tests/CommandTests/Fixtures"),
    .executableTarget(
      name: "OwnParts",
      dependencies: [
        "Attacks", "Datasets", "Defenses", "Evaluation", "Models", "NeuralNetworks", "Torch",
        "Training",
      ], path: "Examples/OwnParts/Sources/OwnParts"),
    .testTarget(
      name: "TrainingTests",
      dependencies: [
        "Attacks", "Datasets", "Defenses", "Evaluation", "Models", "MutualInformation",
        "NeuralNetworks", "Records", "Torch", "Training", "RunFixtures", "OwnParts", "TestSupport",
      ]),
    .testTarget(
      name: "EvaluationTests",
      dependencies: [
        "Attacks", "Datasets", "Models", "NeuralNetworks", "Records", "Torch", "Evaluation",
        "RunFixtures", "TestSupport",
      ]),
    .testTarget(
      name: "CommandTests", dependencies: ["Records", "Torch", "namid", "RunFixtures"],
      exclude: ["Fixtures"]),
    .testTarget(
      name: "DefensesTests",
      dependencies: [
        "Attacks", "Datasets", "Models", "MutualInformation", "NeuralNetworks", "Records", "Torch",
        "Defenses", "TestSupport",
      ]),
    .testTarget(name: "DatasetsTests", dependencies: ["Torch", "Datasets"]),
    .testTarget(
      name: "ExperimentsTests",
      dependencies: [
        "Attacks", "Datasets", "Defenses", "Evaluation", "Models", "MutualInformation",
        "NeuralNetworks", "Records", "Torch", "Training", "Experiments", "RunFixtures",
      ]),
  ],
  swiftLanguageModes: [.v6]
)
