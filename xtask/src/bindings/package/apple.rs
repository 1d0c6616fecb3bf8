//! An xcframework for devices, simulators and the Mac, and the Swift package that names it.

use super::plan::{Need, Plan, Step, words};
use crate::bindings::{
    languages::folder,
    mobile::{self, System},
};
use std::path::Path;

const XCODE: &str = "install Xcode 16 or later, on a Mac";

/// The slices: a folder, and the targets whose libraries are in it. Two targets of one processor do not fit into one library, so
/// devices and simulators have slices of their own.
const SLICES: [(&str, &[&str]); 3] = [
    ("device", &["aarch64-apple-ios"]),
    ("simulator", &["aarch64-apple-ios-sim", "x86_64-apple-ios"]),
    ("macos", &["aarch64-apple-darwin", "x86_64-apple-darwin"]),
];

pub(super) fn plan(target: &Path, url: &str) -> Plan {
    let out = target.join("packages/apple");
    let mut steps = vec![Step::Empty(out.clone())];
    steps.extend(SLICES.iter().flat_map(|(_, targets)| *targets).map(|triple| build(triple)));
    steps.push(Step::Generate { language: "swift", folder: out.join("generated") });
    for (slice, targets) in SLICES {
        steps.extend([Step::Empty(out.join(slice)), join(target, &out, slice, targets)]);
    }
    steps.extend(headers(&out));
    steps.push(Step::run(framework(&out)));
    steps.extend(package(&out, url));
    steps.push(Step::Copy {
        from: out.join("FieldpostFFIFFI.xcframework"),
        to: folder("swift/FieldpostFFIFFI.xcframework"),
    });
    Plan { title: "The Swift package".to_owned(), needs: needs(), steps }
}

fn needs() -> Vec<Need> {
    let tools = ["xcodebuild", "lipo", "ditto", "swift"].map(|name| Need::Program { name, install: XCODE });
    let targets = SLICES.iter().flat_map(|(_, targets)| *targets).map(|triple| Need::Target(triple));
    tools.into_iter().chain(targets).collect()
}

/// The versions of the systems are those of Package.swift.
fn build(triple: &str) -> Step {
    let mut command = mobile::command("staticlib");
    command.extend(words(&format!("--target {triple}")));
    let mut environment = mobile::environment(System::Apple);
    environment
        .extend([("IPHONEOS_DEPLOYMENT_TARGET", "17.0".to_owned()), ("MACOSX_DEPLOYMENT_TARGET", "14.0".to_owned())]);
    Step::Run { command, folder: crate::process::root(), environment }
}

fn join(target: &Path, out: &Path, slice: &str, targets: &[&str]) -> Step {
    let library = |triple: &&str| text(&target.join(triple).join("mobile/libfieldpost_ffi.a"));
    let mut command = words("lipo -create -output");
    command.push(slice_library(out, slice));
    command.extend(targets.iter().map(library));
    Step::run(command)
}

/// Xcode links it by a name that begins with `lib`.
fn slice_library(out: &Path, slice: &str) -> String {
    text(&out.join(slice).join("libfieldpost_ffi.a"))
}

/// In a folder of their own: a module map right below `Headers` collides with the one of any other xcframework in an app.
fn headers(out: &Path) -> [Step; 2] {
    let headers = out.join("headers/FieldpostFFIFFI");
    let copy = |name: &str, to: &str| Step::Copy { from: out.join("generated").join(name), to: headers.join(to) };
    [copy("FieldpostFFIFFI.h", "FieldpostFFIFFI.h"), copy("FieldpostFFIFFI.modulemap", "module.modulemap")]
}

fn framework(out: &Path) -> Vec<String> {
    let mut command = words("xcodebuild -create-xcframework");
    for (slice, _) in SLICES {
        command.push("-library".to_owned());
        command.push(slice_library(out, slice));
        command.push("-headers".to_owned());
        command.push(text(&out.join("headers")));
    }
    command.push("-output".to_owned());
    command.push(text(&out.join("FieldpostFFIFFI.xcframework")));
    command
}

/// The folder that becomes the repository of the Swift package: its manifest names the zip by its checksum.
fn package(out: &Path, url: &str) -> Vec<Step> {
    let (zip, package) = (out.join("FieldpostFFIFFI.xcframework.zip"), out.join("Fieldpost"));
    let mut ditto = words("ditto -c -k --keepParent");
    ditto.extend([text(&out.join("FieldpostFFIFFI.xcframework")), text(&zip)]);
    let manifest = package.join("Package.swift");
    let mut checksum = words("swift package --package-path");
    checksum.extend([text(&folder("swift")), "compute-checksum".to_owned(), text(&zip)]);
    let filled = include_str!("../../../../bindings/swift/Package.swift")
        .replace("let releaseURL = \"\"", &format!("let releaseURL = \"{url}\""))
        .replace("let releaseChecksum = \"\"", &format!("let releaseChecksum = \"{CHECKSUM}\""));
    vec![
        Step::run(ditto),
        Step::Copy { from: folder("swift/Sources/Fieldpost"), to: package.join("Sources/Fieldpost") },
        Step::Copy { from: folder("swift/Tests"), to: package.join("Tests") },
        Step::Copy { from: folder("swift/README.md"), to: package.join("README.md") },
        Step::Copy {
            from: out.join("generated/FieldpostFFI.swift"),
            to: package.join("Sources/FieldpostFFI/FieldpostFFI.swift"),
        },
        Step::Write { file: manifest.clone(), text: filled },
        Step::Fill { file: manifest, word: CHECKSUM, command: checksum },
    ]
}

const CHECKSUM: &str = "CHECKSUM";

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step_of(plan: &Plan, part: &str) -> usize {
        let lines = plan.lines();
        lines.iter().position(|line| line.contains(part)).unwrap_or_else(|| panic!("no step has {part:?}: {lines:#?}"))
    }

    #[test]
    fn devices_simulators_and_the_mac_each_have_a_slice() {
        let plan = plan(Path::new("/t"), "https://example.org/a.zip");
        for (_, targets) in SLICES {
            for triple in targets {
                let built = step_of(&plan, &format!("--target {triple}"));
                assert!(built < step_of(&plan, "lipo -create"));
            }
        }
        let framework = plan.lines()[step_of(&plan, "-create-xcframework")].clone();
        for (slice, _) in SLICES {
            assert!(framework.contains(&format!("-library /t/packages/apple/{slice}/libfieldpost_ffi.a -headers")));
        }
        assert_eq!(framework.matches("-headers").count(), 3);
    }

    #[test]
    fn the_module_map_has_a_folder_of_its_own() {
        let plan = plan(Path::new("/t"), "");
        step_of(&plan, "to /t/packages/apple/headers/FieldpostFFIFFI/module.modulemap");
    }

    #[test]
    fn the_manifest_gets_the_address_and_the_checksum_of_the_zip() {
        let plan = plan(Path::new("/t"), "https://example.org/a.zip");
        assert!(step_of(&plan, "ditto") < step_of(&plan, "compute-checksum"));
        let manifest = plan.steps.iter().find_map(|step| match step {
            Step::Write { text, .. } => Some(text.clone()),
            _ => None,
        });
        let manifest = manifest.unwrap();
        assert!(manifest.contains("let releaseURL = \"https://example.org/a.zip\""), "{manifest}");
        assert!(manifest.contains("let releaseChecksum = \"CHECKSUM\""), "{manifest}");
    }

    #[test]
    fn without_a_mac_it_says_what_to_install() {
        if cfg!(target_os = "macos") {
            return;
        }
        let missing = plan(Path::new("/t"), "").missing().join("\n");
        assert!(missing.contains("xcodebuild: install Xcode"), "{missing}");
    }
}
