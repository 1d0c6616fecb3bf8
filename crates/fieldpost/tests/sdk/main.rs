//! The SDK over the reference store, as an app uses it.

mod owner;
mod watching;
