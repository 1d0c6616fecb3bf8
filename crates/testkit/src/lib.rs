//! What tests of Fieldpost, and of apps that embed it, are built with.
