//! An AAR: the library for four processors, the classes, and the rules for apps that shrink.

use super::{
    plan::{Need, Plan, Step, words},
    size,
};
use crate::bindings::{
    languages::folder,
    mobile::{self, System},
};
use std::path::Path;

/// The names of the processors on Android, and of the compiler's targets.
const PROCESSORS: [(&str, &str); 4] = [
    ("arm64-v8a", "aarch64-linux-android"),
    ("armeabi-v7a", "armv7-linux-androideabi"),
    ("x86_64", "x86_64-linux-android"),
    ("x86", "i686-linux-android"),
];

pub(super) fn plan(target: &Path) -> Plan {
    let project = folder("kotlin/android");
    let libraries = project.join("src/main/jniLibs");
    let mut build = words("cargo ndk --platform 26 --output-dir");
    build.push(libraries.display().to_string());
    build.extend(PROCESSORS.iter().flat_map(|(name, _)| ["--target".to_owned(), (*name).to_owned()]));
    build.extend(mobile::command("cdylib").into_iter().skip(1));
    let sizes = PROCESSORS
        .map(|(name, _)| Step::Size { file: libraries.join(name).join("libfieldpost_ffi.so"), most: size::BUDGET });
    let aar = target.join("packages/android/fieldpost.aar");
    let mut steps = vec![
        Step::Empty(libraries),
        Step::Run { command: build, folder: crate::process::root(), environment: mobile::environment(System::Android) },
    ];
    steps.extend(sizes);
    steps.extend([
        Step::run(words("cargo xtask bindings build --only kotlin")),
        Step::Run {
            command: words("gradle --no-daemon assembleRelease"),
            folder: project.clone(),
            environment: Vec::new(),
        },
        Step::Copy { from: project.join("build/outputs/aar/android-release.aar"), to: aar.clone() },
    ]);
    // `unzip -t` fails if the archive lacks one of the files.
    let mut inspect = words("unzip -t");
    inspect.push(aar.display().to_string());
    inspect.extend(["AndroidManifest.xml", "classes.jar", "proguard.txt"].map(str::to_owned));
    inspect.extend(PROCESSORS.map(|(name, _)| format!("jni/{name}/libfieldpost_ffi.so")));
    steps.push(Step::run(inspect));
    Plan { title: "The package for Android".to_owned(), needs: needs(&project), steps }
}

fn needs(project: &Path) -> Vec<Need> {
    let mut needs = vec![
        Need::Program { name: "cargo-ndk", install: "cargo install cargo-ndk" },
        Need::Program { name: "gradle", install: "install Gradle 8.13 or later" },
        Need::Program { name: "unzip", install: "install unzip" },
        Need::Variable {
            name: "ANDROID_NDK_HOME",
            install: "install an NDK, r28 or later, and set this to its folder",
        },
        Need::Variable { name: "ANDROID_HOME", install: "install the SDK of Android, and set this to its folder" },
        Need::File { path: project.join("build.gradle.kts"), why: "the Gradle project is not there" },
        Need::File { path: project.join("consumer-rules.pro"), why: "the rules for apps that shrink are not there" },
    ];
    needs.extend(PROCESSORS.map(|(_, triple)| Need::Target(triple)));
    needs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_processors_are_built_held_to_the_budget_and_looked_for_in_the_archive() {
        let lines = plan(Path::new("/t")).lines();
        let build = lines.iter().position(|line| line.contains("cargo ndk")).unwrap();
        assert!(lines[build].contains(" rustc --locked --profile mobile "), "{}", lines[build]);
        assert!(lines[build].ends_with(" --lib --crate-type cdylib"), "{}", lines[build]);
        for (name, _) in PROCESSORS {
            assert!(lines[build].contains(&format!("--target {name} ")), "{}", lines[build]);
            let size = format!("jniLibs/{name}/libfieldpost_ffi.so: at most 10.00 MB");
            assert!(lines.iter().skip(build).any(|line| line.contains(&size)), "{lines:#?}");
            assert!(lines.last().unwrap().contains(&format!("jni/{name}/")), "{lines:#?}");
        }
        assert!(lines.last().unwrap().contains("proguard.txt"));
    }

    #[test]
    fn without_the_tools_it_says_what_to_install() {
        if std::env::var_os("ANDROID_NDK_HOME").is_some() {
            return;
        }
        let missing = plan(Path::new("/t")).missing().join("\n");
        assert!(missing.contains("ANDROID_NDK_HOME: install an NDK"), "{missing}");
    }
}
