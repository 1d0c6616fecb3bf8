//! Offline-first messaging for field teams on Supabase.
