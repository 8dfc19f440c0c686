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
    .target(name: "Models", dependencies: ["NeuralNetworks", "Records"]),
    .target(name: "MutualInformation", dependencies: ["NeuralNetworks", "Records"]),
    .target(name: "Attacks", dependencies: ["NeuralNetworks", "Records"]),
    .target(
      name: "Defenses", dependencies: ["Attacks", "Datasets", "Models", "MutualInformation"]),
    .target(name: "Evaluation", dependencies: ["Attacks", "Datasets", "Models", "Records"]),
    .target(name: "Training", dependencies: ["Defenses", "Evaluation", "Records"]),
    .target(name: "Experiments", dependencies: ["Training"]),
    .executableTarget(
      name: "namid",
      dependencies: [
        "Experiments", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .testTarget(name: "RecordsTests", dependencies: ["Records"]),
    .target(
      name: "TestSupport", dependencies: ["Torch", "NeuralNetworks"], path: "Tests/Support"),
    .testTarget(
      name: "TorchTests", dependencies: ["Torch", "TestSupport"], exclude: ["Schemas.txt"]),
    .testTarget(name: "NeuralNetworksTests", dependencies: ["NeuralNetworks", "TestSupport"]),
    .testTarget(name: "ModelsTests", dependencies: ["Models", "TestSupport"]),
    .testTarget(
      name: "MutualInformationTests", dependencies: ["MutualInformation", "TestSupport"]),
    .testTarget(name: "AttacksTests", dependencies: ["Attacks", "TestSupport"]),
    .target(name: "RunFixtures", dependencies: ["Datasets"], path: "Tests/CommandTests/Fixtures"),
    .executableTarget(
      name: "OwnParts", dependencies: ["Training"], path: "Examples/OwnParts/Sources/OwnParts"),
    .testTarget(name: "TrainingTests", dependencies: ["Training", "RunFixtures", "OwnParts"]),
    .testTarget(
      name: "EvaluationTests", dependencies: ["Evaluation", "RunFixtures", "TestSupport"]),
    .testTarget(
      name: "CommandTests", dependencies: ["namid", "RunFixtures"], exclude: ["Fixtures"]),
    .testTarget(name: "DefensesTests", dependencies: ["Defenses", "TestSupport"]),
    .testTarget(name: "DatasetsTests", dependencies: ["Datasets"]),
    .testTarget(name: "ExperimentsTests", dependencies: ["Experiments", "RunFixtures"]),
  ],
  swiftLanguageModes: [.v6]
)
