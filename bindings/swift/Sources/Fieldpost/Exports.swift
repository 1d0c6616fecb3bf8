// The types of the library are those of this package: an app imports `Fieldpost` alone.
@_exported import FieldpostFFI
