//! What the workspace integration tests share.
