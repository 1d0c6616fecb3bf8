// The AAR: the library for four processors, the generated bindings, the layer, and rules for apps that shrink.
//
// `cargo xtask bindings build --only kotlin` writes the generated code; `build-libraries.sh` writes src/main/jniLibs.
// This file is source: the machines that test Fieldpost have no Android SDK, so it has not been run there.
plugins {
    id("com.android.library") version "8.13.0"
    id("org.jetbrains.kotlin.android") version "2.3.0"
    `maven-publish`
}

group = "dev.fieldpost"
version = "0.1.0"

android {
    namespace = "dev.fieldpost"
    compileSdk = 36
    // From r28 on, 64-bit libraries are aligned for pages of 16 KiB.
    ndkVersion = "28.2.13676358"

    defaultConfig {
        // java.time without desugaring, and a JNA that runs.
        minSdk = 26
        consumerProguardFiles("consumer-rules.pro")
        ndk { abiFilters += listOf("arm64-v8a", "armeabi-v7a", "x86_64", "x86") }
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_11
        targetCompatibility = JavaVersion.VERSION_11
    }

    sourceSets["main"].kotlin.srcDirs("../src/main/kotlin", "../../../target/bindings/kotlin/generated")

    // The generated code names java.lang.ref.Cleaner, and looks whether this Android has it.
    lint { disable += "NewApi" }

    publishing { singleVariant("release") { withSourcesJar() } }
}

kotlin { compilerOptions { jvmTarget = org.jetbrains.kotlin.gradle.dsl.JvmTarget.JVM_11 } }

dependencies {
    // As AAR, which has JNA's own library for each processor. Before 5.17.0 it does not start with pages of 16 KiB.
    api("net.java.dev.jna:jna:5.19.1@aar")
    api("org.jetbrains.kotlinx:kotlinx-coroutines-core:1.10.2")
}

publishing {
    publications {
        register<MavenPublication>("release") {
            artifactId = "fieldpost"
            afterEvaluate { from(components["release"]) }
        }
    }
}
