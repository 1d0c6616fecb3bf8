//! A local stand-in that speaks Supabase's wire over the reference server.
