// level = sum_k v^k (p_k0 + p_k1 u + p_k2 u^2 + p_k3 u^3), from uniform cubic B-splines
// de Boor, A Practical Guide to Splines, chapters IX and XVII.
// Rust twin: src/kernels/pieces.rs

// Values are spline coefficients, [planes, H + 2, W + 2]. The cell of row y and column x lies between
// those of rows y..y + 4 and columns x..x + 4. Of a cell four vectors: the powers of v.
fn make_column(plane: u32, column: u32, first_cell: u32) {
    let row = params.width + 2u;
    var at = plane * row * (params.height + 2u) + column;
    var a = across(at);
    var b = across(at + row);
    var c = across(at + 2u * row);
    for (var y = 0u; y + 1u < params.height; y++) {
        let d = across(at + 3u * row);
        let cell = 4u * (first_cell + y * (params.width - 1u));
        pieces[cell] = (a + 4.0 * b + c) * (1.0 / 6.0);
        pieces[cell + 1u] = (c - a) * 0.5;
        pieces[cell + 2u] = (a - 2.0 * b + c) * 0.5;
        pieces[cell + 3u] = (3.0 * (b - c) + (d - a)) * (1.0 / 6.0);
        at += row;
        a = b;
        b = c;
        c = d;
    }
}

// The powers of u between the middle two of four coefficients of a row.
fn across(at: u32) -> vec4<f32> {
    let a = load_values(at);
    let b = load_values(at + 1u);
    let c = load_values(at + 2u);
    let d = load_values(at + 3u);
    return vec4<f32>(
        (a + 4.0 * b + c) * (1.0 / 6.0),
        (c - a) * 0.5,
        (a - 2.0 * b + c) * 0.5,
        (3.0 * (b - c) + (d - a)) * (1.0 / 6.0),
    );
}
