//! The storage contract of Fieldpost on SQLite, with SeaORM.
