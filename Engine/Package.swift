// swift-tools-version: 6.2
import PackageDescription

/// The folder that holds libtorch's `include/` and `lib/`: `LIBTORCH`, else what the launcher unpacked.
let torch = Context.environment["LIBTORCH"] ?? Context.packageDirectory + "/../.deps/libtorch"

let package = Package(
  name: "Engine",
  products: [
    .library(name: "CTorch", type: .dynamic, targets: ["CTorch"])
  ],
  targets: [
    .target(
      name: "CTorch",
      cxxSettings: [
        .unsafeFlags([
          "-isystem", torch + "/include",
          "-isystem", torch + "/include/torch/csrc/api/include",
          "-fvisibility=hidden",
        ])
      ],
      linkerSettings: [
        .unsafeFlags([
          "-L" + torch + "/lib",
          "-Xlinker", "-rpath", "-Xlinker", torch + "/lib",
        ]),
        .unsafeFlags(["-Xlinker", "--no-as-needed"], .when(platforms: [.linux])),
        .linkedLibrary("torch"),
        .linkedLibrary("torch_cpu"),
        .linkedLibrary("c10"),
        .linkedLibrary("dl"),
      ]
    )
  ],
  cxxLanguageStandard: .cxx20
)
