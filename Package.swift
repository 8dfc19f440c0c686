// swift-tools-version: 6.2
import PackageDescription

/// A library target, with the targets that it may see.
func room(_ name: String, _ dependencies: Target.Dependency...) -> Target {
  .target(name: name, dependencies: dependencies)
}

/// The tests of a library target, which may see what it sees and the tests' own helpers.
func tests(_ name: String, _ dependencies: Target.Dependency..., exclude: [String] = []) -> Target {
  .testTarget(
    name: name + "Tests",
    dependencies: [.init(stringLiteral: name), "NamidTestSupport"] + dependencies, exclude: exclude)
}

let package = Package(
  name: "namid",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "namid", targets: ["NamidTool"]),
    .library(name: "Namid", targets: ["Namid"]),
    .library(name: "NamidCommands", targets: ["NamidCommands"]),
  ],
  dependencies: [
    .package(path: "Engine"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // From the ground up: an arrow goes to what stands above it in this list.
    .target(
      // OpenSSL's archive, so that the tool needs no libcrypto where it runs; on Apple's systems CommonCrypto.
      name: "CNamidDigest",
      linkerSettings: [.linkedLibrary(":libcrypto.a", .when(platforms: [.linux]))]),
    .target(name: "CNamidZlib", linkerSettings: [.linkedLibrary("z")]),
    room("NamidFiles", "CNamidDigest", "CNamidZlib"),
    room("NamidTerminal"),
    room("NamidStatistics"),
    room("NamidSettings", "NamidFiles", "Yams"),
    .target(
      name: "CNamidImaging",
      linkerSettings: [.linkedLibrary("jpeg"), .linkedLibrary("png"), .linkedLibrary("z")]),
    room("NamidTorch", "NamidFiles", .product(name: "CTorch", package: "Engine")),
    room("NamidNetworks", "NamidFiles", "NamidSettings", "NamidTorch"),
    room(
      "NamidData", "CNamidImaging", "NamidFiles", "NamidNetworks", "NamidSettings",
      "NamidTerminal", "NamidTorch"),
    room("NamidInformation", "NamidNetworks", "NamidSettings", "NamidStatistics", "NamidTorch"),
    room("NamidAttacks", "NamidNetworks", "NamidSettings", "NamidTerminal", "NamidTorch"),
    room(
      "NamidDefenses", "NamidAttacks", "NamidInformation", "NamidNetworks", "NamidSettings",
      "NamidTorch"),
    room(
      "NamidEvaluation", "NamidAttacks", "NamidData", "NamidFiles", "NamidNetworks",
      "NamidSettings", "NamidStatistics", "NamidTerminal", "NamidTorch"),
    room(
      "NamidTraining", "NamidAttacks", "NamidData", "NamidDefenses", "NamidEvaluation",
      "NamidFiles", "NamidInformation", "NamidNetworks", "NamidSettings", "NamidTorch"),
    room(
      "Namid", "NamidAttacks", "NamidData", "NamidDefenses", "NamidEvaluation", "NamidFiles",
      "NamidInformation", "NamidNetworks", "NamidSettings", "NamidStatistics", "NamidTerminal",
      "NamidTorch", "NamidTraining"),
    .target(
      name: "NamidPages", dependencies: ["NamidFiles", "NamidStatistics"],
      resources: [
        .embedInCode("Resources/charts.js"), .embedInCode("Resources/page.css"),
        .embedInCode("Resources/sorting.js"),
      ]),
    room("NamidLaboratory", "Namid", "NamidPages"),
    room("NamidReproduction", "Namid", "NamidLaboratory", "NamidPages"),
    room("NamidReports", "Namid", "NamidLaboratory", "NamidPages", "NamidReproduction"),
    room(
      "NamidCommands", "Namid", "NamidLaboratory", "NamidPages", "NamidReports",
      "NamidReproduction", .product(name: "ArgumentParser", package: "swift-argument-parser")),
    .executableTarget(name: "NamidTool", dependencies: ["NamidCommands"]),

    .target(name: "NamidTestSupport", dependencies: ["Namid"], path: "Tests/Support"),
    .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),
    .executableTarget(
      name: "OwnParts", dependencies: ["Namid", "NamidCommands"],
      path: "Examples/OwnParts/Sources/OwnParts"),
    tests("NamidFiles"),
    tests("NamidTerminal"),
    tests("NamidStatistics", "NamidSettings"),
    tests("NamidSettings"),
    tests("NamidTorch", "AllocationCounter", exclude: ["Schemas.txt"]),
    tests("NamidNetworks"),
    tests("NamidData"),
    tests("NamidInformation"),
    tests("NamidAttacks"),
    tests("NamidDefenses"),
    tests("NamidEvaluation"),
    tests("NamidTraining", "OwnParts"),
    tests("NamidPages"),
    tests("NamidLaboratory"),
    tests("NamidReproduction"),
    tests("NamidReports"),
    tests("NamidCommands"),
  ],
  swiftLanguageModes: [.v6]
)
