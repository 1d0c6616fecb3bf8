// Reads the version of the library as Sources/Fieldpost/LibraryVersion.swift does: the only C that is written by hand there.
#include "FieldpostFFIFFI.h"
#include <stdio.h>

int main(void) {
    RustCallStatus status = {0};
    RustBuffer text = uniffi_fieldpost_ffi_fn_func_library_version(&status);
    printf("%.*s", (int)text.len, (const char *)text.data);
    ffi_fieldpost_ffi_rustbuffer_free(text, &status);
    return status.code;
}
