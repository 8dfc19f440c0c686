// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "namid-benchmarks",
  platforms: [.macOS(.v15)],
  products: [.executable(name: "namid-bench", targets: ["NamidBench"])],
  dependencies: [
    .package(name: "namid", path: ".."),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
  ],
  targets: [
    .executableTarget(
      name: "NamidBench",
      dependencies: [
        .product(name: "Namid", package: "namid"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .testTarget(name: "NamidBenchTests", dependencies: ["NamidBench"]),
  ],
  swiftLanguageModes: [.v6]
)
