/** Says what was shown, with its figures. `cargo xtask test --suite supabase` gathers these lines at its end. */
export const claim = (text) => console.log(`claim: ${text}`);
