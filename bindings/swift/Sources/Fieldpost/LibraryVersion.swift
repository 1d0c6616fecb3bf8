import FieldpostFFIFFI

/// The library and this package are of different versions.
public struct VersionMismatch: Error, Equatable, CustomStringConvertible {
    /// The version of this package.
    public let package: String
    /// The version of the library.
    public let library: String

    public var description: String {
        "The package Fieldpost is \(package), and its library is \(library): take both from one release."
    }
}

/// The version of the library, and whether it is the one that this package was written for.
public enum LibraryVersion {
    /// The version of this package.
    public static let package = "0.1.0"

    /// The version of the library.
    ///
    /// It is read before the generated code is used, which stops the process when it meets a library of another version.
    public static func ofLibrary() -> String {
        var status = RustCallStatus()
        let text = uniffi_fieldpost_ffi_fn_func_library_version(&status)
        defer { ffi_fieldpost_ffi_rustbuffer_free(text, &status) }
        let bytes = UnsafeMutableBufferPointer(start: text.data, count: Int(text.len))
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Throws ``VersionMismatch`` unless both are of one version.
    public static func check() throws {
        try check(library: ofLibrary())
    }

    static func check(library: String) throws {
        guard library == package else {
            throw VersionMismatch(package: package, library: library)
        }
    }
}
