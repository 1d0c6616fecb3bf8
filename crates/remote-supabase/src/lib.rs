//! The remote contract of Fieldpost over Supabase's HTTP interfaces.
