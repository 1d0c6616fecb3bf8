// swift-tools-version: 6.0

import Foundation
import PackageDescription

// A release fills these two: `cargo xtask bindings package apple`.
let releaseURL = ""
let releaseChecksum = ""

/// Whether `cargo xtask bindings test` compiles this: it has generated the header, and tells the linker where cargo has built the library.
let isTested = ProcessInfo.processInfo.environment["FIELDPOST_BUILT"] != nil

/// The library: what a release has uploaded, or what `cargo xtask bindings package apple` has left beside this file.
func library() -> Target {
    if isTested {
        return .systemLibrary(name: "FieldpostFFIFFI")
    }
    if ProcessInfo.processInfo.environment["FIELDPOST_LOCAL"] != nil || releaseURL.isEmpty {
        return .binaryTarget(name: "FieldpostFFIFFI", path: "FieldpostFFIFFI.xcframework")
    }
    return .binaryTarget(name: "FieldpostFFIFFI", url: releaseURL, checksum: releaseChecksum)
}

/// What is written by hand has no warning. No app has to bear with that.
func settings(_ mode: SwiftLanguageMode) -> [SwiftSetting] {
    [.swiftLanguageMode(mode)] + (isTested ? [.unsafeFlags(["-warnings-as-errors"])] : [])
}

/// The scenario of all languages, for `cargo xtask bindings test` alone.
func scenario() -> [Target] {
    guard isTested else { return [] }
    return [.executableTarget(name: "scenario", dependencies: ["Fieldpost"], path: "Tests/Scenario", swiftSettings: settings(.v5))]
}

let package = Package(
    name: "Fieldpost",
    platforms: [.iOS(.v17), .macOS(.v14)],
    products: [.library(name: "Fieldpost", targets: ["Fieldpost"])],
    targets: [
        library(),
        // What UniFFI 0.31 generates for asynchronous protocols is no Swift 6 (mozilla/uniffi-rs#2929).
        .target(name: "FieldpostFFI", dependencies: ["FieldpostFFIFFI"], swiftSettings: [.swiftLanguageMode(.v5)]),
        .target(
            name: "Fieldpost",
            dependencies: ["FieldpostFFI", "FieldpostFFIFFI"],
            swiftSettings: settings(.v6)
        ),
        // XCTest calls its cases from wherever it likes, which is no Swift 6.
        .testTarget(name: "FieldpostTests", dependencies: ["Fieldpost"], swiftSettings: settings(.v5)),
    ] + scenario()
)
