// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "OwnParts",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "namid", path: "../..")],
  targets: [
    .executableTarget(
      name: "OwnParts",
      dependencies: [
        .product(name: "Namid", package: "namid"),
        .product(name: "NamidCommands", package: "namid"),
      ])
  ],
  swiftLanguageModes: [.v6]
)
