// Philox4x32-10: four random words from a counter and a key.
// Salmon, Moraes, Dror and Shaw, Parallel random numbers: as easy as 1, 2, 3 (SC 2011), section 3.3.
// Rust twin: src/kernels/philox.rs
fn philox(counter: vec4<u32>, key: vec2<u32>) -> vec4<u32> {
    var words = counter;
    var round_key = key;
    for (var round = 0u; round < 10u; round++) {
        let first = 0xD2511F53u * words.x;
        let second = 0xCD9E8D57u * words.z;
        words = vec4<u32>(
            high_word(0xCD9E8D57u, words.z) ^ words.y ^ round_key.x, second,
            high_word(0xD2511F53u, words.x) ^ words.w ^ round_key.y, first,
        );
        round_key += vec2<u32>(0x9E3779B9u, 0xBB67AE85u);
    }
    return words;
}

// The upper 32 bits of a product, which WGSL has no function for, from products of halves.
fn high_word(a: u32, b: u32) -> u32 {
    let low = (a & 0xFFFFu) * (b & 0xFFFFu);
    let cross = (a >> 16u) * (b & 0xFFFFu) + (low >> 16u);
    let other = (a & 0xFFFFu) * (b >> 16u) + (cross & 0xFFFFu);
    return (a >> 16u) * (b >> 16u) + (cross >> 16u) + (other >> 16u);
}
