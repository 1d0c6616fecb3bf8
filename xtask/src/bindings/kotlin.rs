//! Kotlin on the JVM: its compiler and JNA, which are fetched into a cache, and what is compiled with them.

use super::{
    build::Built,
    languages::{cache, folder},
    server::Server,
};
use anyhow::{Context, Result, bail};
use std::{
    env,
    ffi::OsString,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The version of the compiler. Its npm package brings the standard library and coroutines along.
const KOTLIN: &str = "2.4.20";

/// The byte code that Android takes.
const JVM_TARGET: &str = "11";

const SCENARIO: &str = "dev.fieldpost.scenario.MainKt";
const TESTS: &str = "dev.fieldpost.TestsKt";

/// What to install, if Kotlin cannot be tested here. What can be fetched is fetched.
pub(super) fn missing() -> Option<&'static str> {
    if java_version().is_none_or(|version| version < 17) {
        return Some("install a JDK 17 or later (Debian: apt-get install openjdk-17-jdk-headless)");
    }
    if compiler().is_err() {
        return Some(
            "the Kotlin compiler cannot be fetched: install npm (Debian: apt-get install npm), and go online once",
        );
    }
    if jna().is_err() {
        return Some(
            "JNA cannot be fetched: on Debian go online once; elsewhere set FIELDPOST_JNA to the path of a jna-5.*.jar",
        );
    }
    None
}

fn java_version() -> Option<u32> {
    let output = Command::new("java").arg("-version").stdin(Stdio::null()).output().ok()?;
    major_version(&String::from_utf8_lossy(&output.stderr))
}

/// `openjdk version "17.0.15" 2025-04-15` is 17.
fn major_version(told: &str) -> Option<u32> {
    told.split('"').nth(1)?.split(['.', '-', '+']).next()?.parse().ok()
}

/// The folder of the compiler.
fn compiler() -> Result<PathBuf> {
    let whole = fetched(&format!("kotlin-{KOTLIN}"), |folder| {
        let mut npm = Command::new("npm");
        npm.args(["install", "--ignore-scripts", "--no-save", "--no-audit", "--no-fund", "--prefix"]).arg(folder);
        quietly(npm.arg(format!("kotlin-compiler@{KOTLIN}")))
    })?;
    Ok(whole.join("node_modules/kotlin-compiler"))
}

/// What JNA adds to a class path.
fn jna() -> Result<Vec<PathBuf>> {
    if let Some(jar) = env::var_os("FIELDPOST_JNA") {
        return Ok(vec![jar.into()]);
    }
    // Debian keeps the part that is no Java in a package of its own, at a place where JNA looks first.
    let installed = PathBuf::from("/usr/share/java/jna.jar");
    if installed.exists() {
        return Ok(vec![installed]);
    }
    let whole = fetched("jna", |folder| {
        quietly(Command::new("apt-get").current_dir(folder).args(["download", "libjna-java", "libjna-jni"]))?;
        for package in with_ending(folder, "deb")? {
            quietly(Command::new("dpkg-deb").arg("-x").arg(package).arg(folder))?;
        }
        let native = with_ending(folder, "so")?.pop().context("libjna-jni has no library")?;
        let place = folder.join("native/com/sun/jna").join(jna_platform());
        fs::create_dir_all(&place)?;
        fs::copy(native, place.join("libjnidispatch.so"))?;
        Ok(())
    })?;
    Ok(vec![whole.join("native"), whole.join("usr/share/java/jna.jar")])
}

/// The folder in which JNA looks for its own library.
fn jna_platform() -> String {
    format!("linux-{}", if env::consts::ARCH == "x86_64" { "x86-64" } else { env::consts::ARCH })
}

/// Whether the compiler is in the cache.
pub(super) fn is_at_hand() -> bool {
    cache().is_ok_and(|cache| cache.join(format!("kotlin-{KOTLIN}")).is_dir())
}

/// A folder of the cache. It is there as a whole, or not at all.
fn fetched(name: &str, fetch: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let cache = cache()?;
    let whole = cache.join(name);
    if !whole.exists() {
        eprintln!("── fetching {name} into {}", cache.display());
        let part = cache.join(format!("{name}.{}", std::process::id()));
        fs::create_dir_all(&part)?;
        let result = fetch(&part).and_then(|()| Ok(fs::rename(&part, &whole)?));
        if let Err(error) = result {
            // What is left of it is of no use.
            let _ = fs::remove_dir_all(&part);
            return Err(error);
        }
    }
    Ok(whole)
}

fn quietly(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// The files below with this ending, in their order.
fn with_ending(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(with_ending(&path, ending)?);
        } else if path.extension().is_some_and(|it| it == ending) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// How the generated code goes on after a wait: on the thread that tells it to, which is the library's, if the dispatcher of the coroutine
/// does not say otherwise. The library holds a lock then that the code needs next.
const GOES_ON: &str = "        uniffiContinuationHandleMap.remove(data).resume(pollResult)\n";

/// It goes on elsewhere, whatever the dispatcher says.
const GOES_ON_ELSEWHERE: &str = "        val continuation = uniffiContinuationHandleMap.remove(data)
        val dispatcher = continuation.context[kotlin.coroutines.ContinuationInterceptor] as? kotlinx.coroutines.CoroutineDispatcher
        if (dispatcher != null && dispatcher.isDispatchNeeded(continuation.context)) {
            continuation.resume(pollResult)
        } else {
            kotlinx.coroutines.Dispatchers.Default.dispatch(continuation.context) { continuation.resume(pollResult) }
        }
";

/// Makes calls return that are made with `Dispatchers.Unconfined`, or with no dispatcher at all.
pub(super) fn make_unconfined_calls_return(folder: &Path) -> Result<()> {
    let files = with_ending(folder, "kt")?;
    let mut found = false;
    for file in files {
        let text = fs::read_to_string(&file)?;
        if text.contains(GOES_ON) {
            found = true;
            fs::write(&file, text.replace(GOES_ON, GOES_ON_ELSEWHERE))?;
        }
    }
    if !found {
        bail!(
            "the code of Kotlin goes on in another way than it did: look whether calls with Dispatchers.Unconfined return"
        );
    }
    Ok(())
}

/// Generates the bindings, and compiles them, the layer and its tests, each if something of it has changed.
pub(super) fn prepare(built: &Built) -> Result<()> {
    let place = place(built);
    let generated = place.join("generated");
    built.generate("kotlin", &generated)?;
    let readme = place.join("readme");
    fs::create_dir_all(&readme)?;
    write_if_changed(&readme.join("Readme.kt"), &example_of_the_readme()?)?;

    let layer = place.join("layer.jar");
    let mut compiling = Compiling::new(built)?;
    compiling.jar("generated", &[generated], &["-nowarn", "-module-name", "fieldpost_ffi"])?;
    let strict = ["-Xexplicit-api=strict", "-Werror", "-module-name", "fieldpost"];
    compiling.jar("layer", &[folder("kotlin/src/main")], &strict)?;
    // The tests see what is internal.
    let friend = format!("-Xfriend-paths={},{}", layer.display(), place.join("generated.jar").display());
    let tests = [folder("kotlin/src/test"), folder("kotlin/example/model"), readme];
    compiling.jar("tests", &tests, &["-Werror", "-module-name", "fieldpost_test", &friend])
}

fn place(built: &Built) -> PathBuf {
    built.scratch.join("kotlin")
}

/// The code of README.md, in a package of its own.
fn example_of_the_readme() -> Result<String> {
    let readme = fs::read_to_string(folder("kotlin/README.md"))?;
    let code = readme.split("```kotlin\n").nth(1).and_then(|rest| rest.split("```").next());
    Ok(format!("package dev.fieldpost.readme\n\n{}", code.context("the README of Kotlin has no example")?))
}

/// A file that is not written again keeps what was compiled of it.
fn write_if_changed(file: &Path, text: &str) -> Result<()> {
    if fs::read_to_string(file).ok().as_deref() != Some(text) {
        fs::write(file, text)?;
    }
    Ok(())
}

/// One compilation after the other; each sees what was compiled before.
struct Compiling {
    place: PathBuf,
    compiler: PathBuf,
    class_path: Vec<PathBuf>,
    /// Stands for all that was compiled so far.
    content: u64,
}

impl Compiling {
    fn new(built: &Built) -> Result<Self> {
        let (compiler, class_path) = (compiler()?, libraries()?);
        let mut hasher = DefaultHasher::new();
        (KOTLIN, JVM_TARGET, &class_path).hash(&mut hasher);
        Ok(Self { place: place(built), compiler, class_path, content: hasher.finish() })
    }

    fn jar(&mut self, name: &str, sources: &[PathBuf], settings: &[&str]) -> Result<()> {
        let mut files = Vec::new();
        for source in sources {
            files.extend(with_ending(source, "kt")?);
        }
        let mut hasher = DefaultHasher::new();
        (self.content, settings).hash(&mut hasher);
        for file in &files {
            fs::read(file)?.hash(&mut hasher);
        }
        self.content = hasher.finish();
        let (jar, stamp) = (self.place.join(format!("{name}.jar")), self.place.join(format!("{name}.stamp")));
        let content = format!("{:016x}", self.content);
        if !jar.exists() || fs::read_to_string(&stamp).ok().as_ref() != Some(&content) {
            // If this is interrupted, what is there is no longer what the stamp says.
            let _ = fs::remove_file(&stamp);
            self.compile(name, &jar, &files, settings)?;
            fs::write(&stamp, content)?;
        }
        self.class_path.push(jar);
        Ok(())
    }

    fn compile(&self, name: &str, jar: &Path, files: &[PathBuf], settings: &[&str]) -> Result<()> {
        eprintln!("── compiling {name} of Kotlin");
        let lib = self.compiler.join("lib");
        let mut kotlinc = Command::new("java");
        kotlinc.args(["-Xmx1g", "-cp"]).arg(lib.join("kotlin-preloader.jar"));
        kotlinc.arg(format!("-Dkotlin.home={}", self.compiler.display()));
        kotlinc.args(["org.jetbrains.kotlin.preloading.Preloader", "-cp"]).arg(lib.join("kotlin-compiler.jar"));
        kotlinc.args(["org.jetbrains.kotlin.cli.jvm.K2JVMCompiler", "-no-reflect", "-jvm-target", JVM_TARGET]);
        kotlinc.args(settings).arg("-cp").arg(env::join_paths(&self.class_path)?).arg("-d").arg(jar).args(files);
        quietly(&mut kotlinc)
    }
}

/// The libraries that the bindings and their tests use.
fn libraries() -> Result<Vec<PathBuf>> {
    let lib = compiler()?.join("lib");
    let mut class_path = jna()?;
    class_path
        .extend(["kotlinx-coroutines-core-jvm.jar", "kotlin-stdlib.jar", "kotlin-test.jar"].map(|jar| lib.join(jar)));
    Ok(class_path)
}

/// A JVM of a fixed size, for tests that measure memory and threads.
fn jvm(built: &Built, main: &str) -> Command {
    let mut java = Command::new("java");
    // Without the second compiler, whose own memory comes and goes by megabytes, later where the machine is busy.
    java.args([
        "-Xmx128m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-XX:-UseDynamicNumberOfCompilerThreads",
        "-ea",
    ]);
    let mut library = OsString::from("-Djna.library.path=");
    library.push(built.library.parent().unwrap_or(Path::new(".")));
    java.arg(library).arg("-cp");
    let mut class_path = libraries().unwrap_or_default();
    class_path.extend(["generated.jar", "layer.jar", "tests.jar"].map(|jar| place(built).join(jar)));
    java.arg(env::join_paths(class_path).unwrap_or_default()).arg(main);
    java
}

/// The command that carries out one file of the scenario.
pub(super) fn runner(built: &Built, file: &Path, server: &Server, folder: &Path) -> Command {
    let mut java = jvm(built, SCENARIO);
    java.arg(file).args(["--url", &server.url, "--key", &server.anon_key]).arg("--folder").arg(folder);
    java
}

/// The command that runs the tests of the layer.
pub(super) fn package_tests(built: &Built, server: &Server) -> Result<Command> {
    let mut java = jvm(built, TESTS);
    java.arg(built.empty_folder("kotlin-tests")?).arg(folder("kotlin"));
    java.env("FIELDPOST_URL", &server.url).env("FIELDPOST_ANON_KEY", &server.anon_key);
    Ok(java)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_java_is_the_first_number() {
        assert_eq!(major_version("openjdk version \"17.0.15\" 2025-04-15\nOpenJDK Runtime"), Some(17));
        assert_eq!(major_version("openjdk version \"25\" 2025-09-16"), Some(25));
        assert_eq!(major_version("java version \"1.8.0_402\""), Some(1));
        assert_eq!(major_version("command not found"), None);
    }
}
