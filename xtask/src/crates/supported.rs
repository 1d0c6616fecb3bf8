//! Whether everything that an app gets builds with the oldest Rust that we promise.
//!
//! Clippy sees to our own code (`incompatible_msrv`); here it is what others say of theirs.

use cargo_metadata::{DependencyKind, Metadata, Package, PackageId, semver::Version};
use std::collections::BTreeSet;

/// The dependencies of the published crates that need a newer Rust than these promise.
pub(super) fn faults(metadata: &Metadata, published: &[&Package]) -> Vec<String> {
    let Some(promised) = published.iter().filter_map(|package| package.rust_version.as_ref()).min() else {
        return Vec::new();
    };
    let needed = reached(metadata, published);
    let newer = |package: &&Package| too_new(promised, package.rust_version.as_ref()) && needed.contains(&package.id);
    let fault = |package: &Package| {
        let needs = package.rust_version.as_ref().map(Version::to_string).unwrap_or_default();
        format!("{} {} needs Rust {needs}, and {promised} is promised", package.name, package.version)
    };
    metadata.packages.iter().filter(newer).map(fault).collect()
}

fn too_new(promised: &Version, needed: Option<&Version>) -> bool {
    needed.is_some_and(|needed| needed > promised)
}

/// What an app builds: not what only tests need.
fn reached<'m>(metadata: &'m Metadata, published: &[&'m Package]) -> BTreeSet<&'m PackageId> {
    let mut reached: BTreeSet<_> = published.iter().map(|package| &package.id).collect();
    let mut next: Vec<_> = reached.iter().copied().collect();
    let nodes = metadata.resolve.as_ref().map_or(&[][..], |resolve| &resolve.nodes);
    while let Some(id) = next.pop() {
        let dependencies = nodes.iter().filter(|node| node.id == *id).flat_map(|node| &node.deps);
        for dependency in dependencies {
            let built = dependency.dep_kinds.iter().any(|kind| kind.kind != DependencyKind::Development);
            if built && reached.insert(&dependency.pkg) {
                next.push(&dependency.pkg);
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_no_version_or_an_older_one_is_no_fault() {
        let promised = Version::new(1, 94, 0);
        assert!(too_new(&promised, Some(&Version::new(1, 95, 0))));
        assert!(!too_new(&promised, Some(&Version::new(1, 94, 0))));
        assert!(!too_new(&promised, None));
    }
}
