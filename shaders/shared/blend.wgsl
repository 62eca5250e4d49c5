// frame = (1 - alpha) * left + alpha * right; exact at alpha 0 and 1.
// DESIGN "The image grid", step 3. Rust twin: src/kernels/blend.rs
fn blend(left: f32, right: f32, alpha: f32) -> f32 {
    return (1.0 - alpha) * left + alpha * right;
}
