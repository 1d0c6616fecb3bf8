//! The client against a scripted server on loopback: what is sent, what is read, and what every failure means.

mod bad_input;
mod calls;
mod failures;
mod protocol_examples;
mod pushes;
mod robustness;
mod rows;
mod sessions;
mod support;
