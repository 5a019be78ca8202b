//! Linker arguments of libtallyboard.so.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // The number is TB_ABI_VERSION: a program built for another ABI does not start with this one.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libtallyboard.so.1");
    // Threads may be inside a restartable sequence, whose descriptor lies in this library, when
    // somebody calls dlclose. Unmapped, it would be a descriptor the kernel kills the process for.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
