// One walker, in cells of its grid or units of the plane. Rust twin: src/kernels/walker.rs
struct Walker {
    x: f32, // columns or units from the origin
    y: f32, // rows or units
    x_start: f32,
    y_start: f32,
    number: u32, // decides its random numbers, with seed and step
    steps: u32, // taken before it was absorbed
}
