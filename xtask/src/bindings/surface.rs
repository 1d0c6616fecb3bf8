//! What the languages see, as text: a change of it shows in the review.
//!
//! The generators write one line per declaration, so lines are enough; what is in a body, or not for apps, is left out.

use super::{build::Built, languages::folder, typescript};
use anyhow::{Context, Result, bail};
use std::{fs, path::PathBuf};

/// Takes the lines of a source that an app can name.
type Lines = fn(&str) -> Vec<String>;

/// A language, the file that its generator writes or the folder of its layer, and the lines of it that an app can name.
struct Surface {
    language: &'static str,
    file: &'static str,
    lines: Lines,
}

const SURFACES: [Surface; 3] = [
    Surface { language: "python", file: "fieldpost_ffi.py", lines: python },
    Surface { language: "kotlin", file: "dev/fieldpost/ffi/fieldpost_ffi.kt", lines: kotlin },
    Surface { language: "swift", file: "FieldpostFFI.swift", lines: swift },
];

/// Layers that are written by hand, with the rules of their language.
const BY_HAND: [Surface; 3] = [
    Surface { language: "python", file: "python/src/fieldpost", lines: python },
    Surface { language: "kotlin", file: "kotlin/src/main/kotlin/dev/fieldpost", lines: kotlin_layer },
    Surface { language: "swift", file: "swift/Sources/Fieldpost", lines: swift },
];

pub(super) fn run(built: &Built, check: bool) -> Result<()> {
    let mut texts = Vec::new();
    for surface in &SURFACES {
        let generated = built.empty_folder(&format!("surface-{}", surface.language))?;
        built.generate(surface.language, &generated)?;
        let source = fs::read_to_string(generated.join(surface.file)).with_context(|| surface.file.to_owned())?;
        let mut text = section("generated", (surface.lines)(&source));
        for layer in BY_HAND.iter().filter(|layer| layer.language == surface.language) {
            text.push_str(&by_hand(layer)?);
        }
        texts.push((surface.language, text));
    }
    // Its compiler tells: what an app can name there is made of both kinds.
    texts.extend(typescript::surface(built)?.map(|text| ("typescript", text)));
    let mut differing = Vec::new();
    for (language, text) in texts {
        let file = folder("surface").join(format!("{language}.txt"));
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

fn by_hand(layer: &Surface) -> Result<String> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder(layer.file))?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.is_file() && path.extension().is_some_and(|it| it == "py" || it == "kt" || it == "swift"));
    files.sort();
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(section(&name, (layer.lines)(&fs::read_to_string(&path)?)))
    };
    files.into_iter().map(read).collect()
}

/// Classes and functions whose names do not begin with `_`, and the values of enums.
fn python(source: &str) -> Vec<String> {
    let mut hidden = false;
    let mut lines = Vec::new();
    let mut rest = source.lines();
    while let Some(line) = rest.next() {
        let (text, indent) = (line.trim_start(), line.len() - line.trim_start().len());
        let Some(name) = python_name(text) else { continue };
        if indent == 0 {
            hidden = name.starts_with('_') || name.ends_with("Protocol");
        }
        // `is_RESET` and the like ask an enum for its variant.
        let asks = name.strip_prefix("is_").is_some_and(|variant| variant.starts_with(|it: char| it.is_uppercase()));
        let private = name.starts_with('_') && name != "__init__" || asks;
        if hidden || private || indent > 8 {
            continue;
        }
        let mut declared = line.to_owned();
        // A signature may have several lines.
        while !text.contains(" = ") && !declared.ends_with(':') {
            let Some(more) = rest.next() else { break };
            declared = format!("{} {}", uncommented(&declared), more.trim());
        }
        lines.push(uncommented(&declared).trim_end_matches(':').to_owned());
    }
    lines.dedup();
    lines
}

fn uncommented(line: &str) -> &str {
    line.split("  #").next().unwrap_or(line).trim_end()
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
    let is_value = value.chars().all(of_constant) && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_value && !value.starts_with('_')).then_some(value)
}

const fn of_constant(letter: char) -> bool {
    letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_'
}

/// Types with their fields, values and functions. What the generator needs for itself has no names in backticks, or one of its own.
fn kotlin(source: &str) -> Vec<String> {
    const TYPES: [&str; 7] =
        ["public interface ", "open class ", "data class ", "enum class ", "sealed class ", "object ", "class "];
    const OWN: [&str; 7] =
        ["FfiConverter", "Uniffi", "RustBuffer", "NoHandle", "Disposable", "InternalException", "uniffi"];
    let own = |text: &str| OWN.iter().any(|name| text.contains(name));
    let mut hidden = true;
    let mut lines: Vec<String> = Vec::new();
    for line in source.lines() {
        let text = line.trim_start();
        let indent = line.len() - text.len();
        let text = text.trim_start_matches("*/ ");
        let is_type = TYPES.iter().any(|keyword| text.starts_with(keyword));
        if indent == 0 && line.ends_with(|last: char| !last.is_whitespace()) && text.starts_with(char::is_alphabetic) {
            hidden = !is_type || own(text);
        }
        let member = ["fun `", "suspend fun `", "val `", "var `"].iter().any(|keyword| text.starts_with(keyword));
        let value = text.trim_end_matches([',', ';']);
        let constant = text.len() > value.len() && !value.is_empty() && value.chars().all(of_constant);
        let top = text.starts_with("fun `") || text.starts_with("suspend fun `");
        if !own(text) && (!hidden && (is_type || member || constant) || hidden && top) {
            let shown = text.trim_end_matches(['{', ' ', ',', '(']);
            lines.push(format!("{}{shown}", if is_type && indent == 0 { "" } else { "    " }));
        }
    }
    lines.dedup();
    lines
}

/// What is public, which the compiler demands to be said, with all parameters on one line.
fn kotlin_layer(source: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut open = false;
    for line in source.lines() {
        let text = line.trim();
        if let Some(last) = lines.last_mut()
            && open
        {
            last.push_str(text);
            last.push(' ');
        } else if text.starts_with("public ") || text.starts_with("override fun ") {
            let indent = line.len() - line.trim_start().len();
            lines.push(format!("{:indent$}{text}", ""));
        } else {
            continue;
        }
        let declared = lines.last().map_or("", String::as_str);
        open = declared.matches('(').count() > declared.matches(')').count();
    }
    lines.iter().map(|line| declaration(line).trim_end_matches([' ', '{', '=']).to_owned()).collect()
}

/// What is before the body or the value: the first `=` that is no default of a parameter.
fn declaration(line: &str) -> &str {
    let depth = |text: &str| text.matches('(').count().abs_diff(text.matches(')').count());
    let mut assigned = line.match_indices(" = ").map(|(place, _)| line.split_at(place).0);
    assigned.find(|before| depth(before) == 0).unwrap_or(line)
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
        let source = "async def open(  # type: ignore\n    cls,\n) -> int:\n    return 1\n";
        assert_eq!(python(source), ["async def open( cls, ) -> int"]);
    }

    #[test]
    fn the_surfaces_of_kotlin_and_swift_leave_out_what_is_internal() {
        let source = "interface Disposable {\n    fun destroy()\nenum class Kind {\n    FIRST,\ndata class Window (\n    \
                      var `limit`: kotlin.UInt = 50u\n) {\n    companion object\n}\ninternal interface UniffiForeign {\n    \
                      fun callback()\n";
        assert_eq!(
            kotlin(source),
            ["enum class Kind", "    FIRST", "data class Window", "    var `limit`: kotlin.UInt = 50u"]
        );
        let source =
            "public suspend fun a(\n    b: Int,\n): C {\n    internal fun d() = 1\n    public val e: Int = 2\n";
        assert_eq!(kotlin_layer(source), ["public suspend fun a(b: Int, ): C", "    public val e: Int"]);
        let source = "public struct Window {\n    public var limit: UInt32\nfileprivate struct FfiConverterUInt32 {\n";
        assert_eq!(swift(source), ["public struct Window", "    public var limit: UInt32"]);
    }
}
