//! A device that is lost, and the panics that wgpu answers with.
//!
//! wgpu tells of a lost device through a callback and through no error scope, and panics where
//! it waits for one (`Device::poll`). Neither may reach a user.

use crate::engine::trouble::in_one_line;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::{Arc, Mutex, Once, PoisonError};

/// Why a device was lost, once it is.
pub(super) struct Lost(Arc<Mutex<Option<String>>>);

impl Lost {
    /// Watches a device, and takes what it says outside of all error scopes.
    pub(super) fn watch(device: &wgpu::Device) -> Self {
        let lost = Arc::new(Mutex::new(None));
        let told = Arc::clone(&lost);
        device.set_device_lost_callback(move |reason, message| {
            let text = match in_one_line(&message) {
                text if text.is_empty() => format!("{reason:?}"),
                text => text,
            };
            told.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get_or_insert(text);
        });
        // A run looks at its own errors; those of no run have nobody to fail.
        device.on_uncaptured_error(Arc::new(|_error: wgpu::Error| {}));
        Self(lost)
    }

    /// What the driver said, once the device is lost.
    pub(super) fn reason(&self) -> Option<String> {
        let reason = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reason.clone()
    }
}

thread_local! {
    /// Whether a panic of this thread is caught and told as an error.
    static IS_CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// What `work` gives, or the text of its panic, which is not printed.
pub(super) fn without_panic<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let print = take_hook();
        set_hook(Box::new(move |panic| {
            if !IS_CAUGHT.get() {
                print(panic);
            }
        }));
    });
    let before = IS_CAUGHT.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    IS_CAUGHT.set(before);
    result.map_err(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied());
        in_one_line(text.unwrap_or("wgpu panicked"))
    })
}
