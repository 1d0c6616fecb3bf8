//! The engine of Fieldpost: a machine that decides and a driver that acts.
