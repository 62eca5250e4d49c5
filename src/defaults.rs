//! A struct of settings, each with its default where it is declared, so that a new setting is one
//! line: `with_defaults! { pub struct Grid { /// Points a side. pub steps: usize = 21, } }`.
//!
//! Plain data that is read from manifests: a field that is missing there has its default.

/// Declares a struct and its `Default` from the same lines.
macro_rules! with_defaults {
    (
        $(#[$about:meta])*
        pub struct $name:ident {
            $($(#[$field_about:meta])* pub $field:ident: $kind:ty = $default:expr,)*
        }
    ) => {
        $(#[$about])*
        #[derive(serde::Serialize, serde::Deserialize)]
        #[serde(default)]
        pub struct $name {
            $($(#[$field_about])* pub $field: $kind,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }
    };
}
pub(crate) use with_defaults;
