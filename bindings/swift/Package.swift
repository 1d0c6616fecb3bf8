// swift-tools-version: 6.0

import Foundation
import PackageDescription

// A release fills these two: `cargo xtask bindings package apple`.
let releaseURL = ""
let releaseChecksum = ""

/// The library: what a release has uploaded, or what `cargo xtask bindings package apple` has left beside this file.
func library() -> Target {
    let local = ProcessInfo.processInfo.environment["FIELDPOST_LOCAL"] != nil
    if local || releaseURL.isEmpty {
        return .binaryTarget(name: "FieldpostFFIFFI", path: "FieldpostFFIFFI.xcframework")
    }
    return .binaryTarget(name: "FieldpostFFIFFI", url: releaseURL, checksum: releaseChecksum)
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
            swiftSettings: [.swiftLanguageMode(.v6)]
        ),
        // XCTest calls its cases from wherever it likes, which is no Swift 6.
        .testTarget(name: "FieldpostTests", dependencies: ["Fieldpost"], swiftSettings: [.swiftLanguageMode(.v5)]),
    ]
)
