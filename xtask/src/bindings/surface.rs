//! What the languages see, as text: a change of it shows in the review.
//!
//! The generators write one line per declaration, so lines are enough; what is in a body, or not for apps, is left out.

use super::{build::Built, languages::folder};
use anyhow::{Context, Result, bail};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A language, the file that its generator writes, and the lines of it that an app can name.
struct Surface {
    language: &'static str,
    file: &'static str,
    lines: fn(&str) -> Vec<String>,
}

const SURFACES: [Surface; 3] = [
    Surface { language: "python", file: "fieldpost_ffi.py", lines: python },
    Surface { language: "kotlin", file: "dev/fieldpost/ffi/fieldpost_ffi.kt", lines: kotlin },
    Surface { language: "swift", file: "FieldpostFFI.swift", lines: swift },
];

/// Layers that are written by hand, with the rules of their language.
const BY_HAND: [(&str, &str, fn(&str) -> Vec<String>); 1] = [("python", "python/src/fieldpost", python)];

pub(super) fn run(built: &Built, check: bool) -> Result<()> {
    let mut differing = Vec::new();
    for surface in &SURFACES {
        let generated = built.empty_folder(&format!("surface-{}", surface.language))?;
        built.generate(surface.language, &generated)?;
        let source = fs::read_to_string(generated.join(surface.file)).with_context(|| surface.file.to_owned())?;
        let mut text = section("generated", (surface.lines)(&source));
        for (language, layer, lines) in BY_HAND {
            if language == surface.language {
                text.push_str(&by_hand(&folder(layer), lines)?);
            }
        }
        let file = folder("surface").join(format!("{}.txt", surface.language));
        if fs::read_to_string(&file).ok().as_ref() == Some(&text) {
            continue;
        }
        if check {
            differing.push(file.display().to_string());
        } else {
            fs::create_dir_all(folder("surface"))?;
            fs::write(&file, text)?;
            println!("wrote {}", file.display());
        }
    }
    if !differing.is_empty() {
        bail!(
            "the public surface has changed; run `cargo xtask bindings surface`, and look at {}",
            differing.join(", ")
        );
    }
    println!("── the public surface is the one in bindings/surface");
    Ok(())
}

fn section(title: &str, lines: Vec<String>) -> String {
    format!("── {title}\n{}\n", lines.join("\n"))
}

fn by_hand(layer: &Path, lines: fn(&str) -> Vec<String>) -> Result<String> {
    let mut files: Vec<PathBuf> = fs::read_dir(layer)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.is_file() && path.extension().is_some_and(|it| it == "py"));
    files.sort();
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(section(&name, lines(&fs::read_to_string(&path)?)))
    };
    files.into_iter().map(read).collect()
}

/// Classes and functions whose names do not begin with `_`, and the values of enums.
fn python(source: &str) -> Vec<String> {
    let mut hidden = false;
    let mut lines = Vec::new();
    for line in source.lines() {
        let (text, indent) = (line.trim_start(), line.len() - line.trim_start().len());
        let Some(name) = python_name(text) else { continue };
        if indent == 0 {
            hidden = name.starts_with('_') || name.ends_with("Protocol");
        }
        let private = name.starts_with('_') && name != "__init__" || name.starts_with("is_") && name != "is_signed_in";
        if !hidden && !private && indent <= 8 {
            lines.push(line.trim_end_matches([':', ' ']).to_owned());
        }
    }
    lines.dedup();
    lines
}

fn python_name(text: &str) -> Option<&str> {
    let name = |rest: &'_ str| rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
    for keyword in ["class ", "def ", "async def "] {
        if let Some(rest) = text.strip_prefix(keyword) {
            return rest.get(..name(rest)?);
        }
    }
    // The value of an enum.
    let (value, number) = text.split_once(" = ")?;
    let upper = |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_';
    let is_value = value.chars().all(upper) && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_value && !value.starts_with('_')).then_some(value)
}

/// Declarations that are neither private nor internal, with the fields of data classes.
fn kotlin(source: &str) -> Vec<String> {
    let shown = |text: &str| {
        let declares = [
            "fun ",
            "suspend fun ",
            "open fun ",
            "override suspend fun ",
            "class ",
            "data class ",
            "enum class ",
            "open class ",
            "sealed class ",
            "interface ",
            "public interface ",
            "public object ",
            "object ",
            "val ",
            "var ",
            "typealias ",
            "public typealias ",
        ];
        declares.iter().any(|keyword| text.starts_with(keyword))
            && !text.contains("uniffi")
            && !text.contains("Uniffi")
            && !text.contains("FfiConverter")
            && !text.contains(" = ")
            && !text.contains("Structure.")
    };
    keep(source, 4, shown)
}

/// What is public.
fn swift(source: &str) -> Vec<String> {
    let shown = |text: &str| {
        let declares = ["public ", "open ", "case "].iter().any(|keyword| text.starts_with(keyword));
        let hidden = [
            "uniffi",
            "Uniffi",
            "FfiConverter",
            "case .",
            "unsafeFromHandle",
            "static func lift",
            "static func lower",
            "static func read",
            "static func write",
        ];
        declares && !hidden.iter().any(|word| text.contains(word)) && !text.trim_end().ends_with(':')
    };
    keep(source, 8, shown)
}

fn keep(source: &str, most: usize, shown: impl Fn(&str) -> bool) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in source.lines() {
        let (text, indent) = (line.trim_start(), line.len() - line.trim_start().len());
        if indent <= most && shown(text) {
            lines.push(line.trim_end_matches(['{', ' ', ',']).to_owned());
        }
    }
    lines.dedup();
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_surface_of_python_has_what_an_app_can_name() {
        let source = "class Kind(enum.Enum):\n    FIRST = 0\nclass _Hidden:\n    def shown(self):\nclass Client:\n    \
                      async def sync(self, ) -> int:\n        x = 1\n    def _own(self):\n";
        assert_eq!(
            python(source),
            ["class Kind(enum.Enum)", "    FIRST = 0", "class Client", "    async def sync(self, ) -> int"]
        );
    }

    #[test]
    fn the_surfaces_of_kotlin_and_swift_leave_out_what_is_internal() {
        let source = "data class Window (\n    val limit: kotlin.UInt,\ninternal interface UniffiForeign {\n";
        assert_eq!(kotlin(source), ["data class Window (", "    val limit: kotlin.UInt"]);
        let source = "public struct Window {\n    public var limit: UInt32\nfileprivate struct FfiConverterUInt32 {\n";
        assert_eq!(swift(source), ["public struct Window", "    public var limit: UInt32"]);
    }
}
