// The functions that a layer may apply to its sums, as Keras 3 defines them
// Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26 (erfc); else by definition.
// The host adds activate(v), which is one of them: in a switch, Mesa would lay all of them out wherever
//   a shader calls it before it leaves out those that cannot be. Needs `params.activation`.
// Rust twin: src/kernels/activation.rs

struct ActivationParams {
    number: u32, // of the function
    slope: f32,
    threshold: f32,
    ceiling: f32,
}

fn activate_linear(v: vec4<f32>) -> vec4<f32> {
    return v;
}

fn activate_relu(v: vec4<f32>) -> vec4<f32> {
    return max(v, vec4<f32>(0.0));
}

fn activate_sigmoid(v: vec4<f32>) -> vec4<f32> {
    return sigmoid(v, small_exp(v));
}

fn activate_tanh(v: vec4<f32>) -> vec4<f32> {
    return stable_tanh(v);
}

fn activate_relu_with(v: vec4<f32>) -> vec4<f32> {
    let above = min(v, vec4<f32>(params.activation.ceiling));
    return select(params.activation.slope * (v - params.activation.threshold), above, v > vec4<f32>(params.activation.threshold));
}

fn activate_elu(v: vec4<f32>) -> vec4<f32> {
    return elu(v, params.activation.slope);
}

fn activate_selu(v: vec4<f32>) -> vec4<f32> {
    return 1.0507009873554805 * elu(v, 1.6732632423543772);
}

fn activate_gelu(v: vec4<f32>) -> vec4<f32> {
    let tail = 0.5 * v * erfc(abs(v) * 0.7071067811865476);
    return select(tail, v - tail, v > vec4<f32>(0.0));
}

fn activate_gelu_tanh(v: vec4<f32>) -> vec4<f32> {
    // Past 10 the tanh is 1 to the last bit, and the cube might overflow.
    let u = clamp(v, vec4<f32>(-10.0), vec4<f32>(10.0));
    return 0.5 * v * (1.0 + stable_tanh(0.7978845608028654 * (u + 0.044715 * u * u * u)));
}

fn activate_silu(v: vec4<f32>) -> vec4<f32> {
    return v * sigmoid(v, small_exp(v));
}

fn activate_softplus(v: vec4<f32>) -> vec4<f32> {
    return max(v, vec4<f32>(0.0)) + log(1.0 + small_exp(v));
}

fn activate_softsign(v: vec4<f32>) -> vec4<f32> {
    return v / (1.0 + abs(v));
}

fn activate_exponential(v: vec4<f32>) -> vec4<f32> {
    return exp(v);
}

fn activate_hard_sigmoid(v: vec4<f32>) -> vec4<f32> {
    return hard_sigmoid(v);
}

fn activate_hard_silu(v: vec4<f32>) -> vec4<f32> {
    return v * hard_sigmoid(v);
}

fn activate_mish(v: vec4<f32>) -> vec4<f32> {
    let e = small_exp(v);
    let above = (1.0 + 2.0 * e) / (1.0 + 2.0 * e + 2.0 * e * e);
    let below = (e * e + 2.0 * e) / (e * e + 2.0 * e + 2.0);
    return v * select(below, above, v > vec4<f32>(0.0));
}

fn activate_log(v: vec4<f32>) -> vec4<f32> {
    // The smallest normal float: devices may take a smaller one for 0.
    return log(max(v, vec4<f32>(1.17549435e-38)));
}

// In 0..1, so that nothing made of it overflows.
fn small_exp(v: vec4<f32>) -> vec4<f32> {
    return exp(-abs(v));
}

fn sigmoid(v: vec4<f32>, e: vec4<f32>) -> vec4<f32> {
    return select(e, vec4<f32>(1.0), v >= vec4<f32>(0.0)) / (1.0 + e);
}

// (1 - e) / (1 + e) with e = exp(-2|v|) never overflows.
fn stable_tanh(v: vec4<f32>) -> vec4<f32> {
    let e = exp(-2.0 * abs(v));
    return sign(v) * (1.0 - e) / (1.0 + e);
}

fn elu(v: vec4<f32>, alpha: f32) -> vec4<f32> {
    return select(alpha * (exp(min(v, vec4<f32>(0.0))) - 1.0), v, v > vec4<f32>(0.0));
}

fn hard_sigmoid(v: vec4<f32>) -> vec4<f32> {
    return clamp(v + 3.0, vec4<f32>(0.0), vec4<f32>(6.0)) / 6.0;
}

// 1 - erf(x) for x >= 0, to 1.5e-7.
fn erfc(x: vec4<f32>) -> vec4<f32> {
    let t = 1.0 / (1.0 + 0.3275911 * x);
    let sum = 1.421413741 + t * (-1.453152027 + t * 1.061405429);
    return t * (0.254829592 + t * (-0.284496736 + t * sum)) * exp(-x * x);
}
