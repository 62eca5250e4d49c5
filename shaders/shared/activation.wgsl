// activate(v), the function a layer applies to its sums, as Keras 3 defines it
// Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26 (erfc); else by definition.
// Needs `params.activation`. Rust twin: src/kernels/activation.rs

struct ActivationParams {
    number: u32, // the ACTIVATION this shader is compiled for
    slope: f32,
    threshold: f32,
    ceiling: f32,
}

// Set when the shader is compiled: software adapters run all cases of a switch they cannot decide.
override ACTIVATION: u32 = 0u;

const LINEAR: u32 = 0u;
const RELU: u32 = 1u;
const SIGMOID: u32 = 2u;
const TANH: u32 = 3u;
const RELU_WITH: u32 = 4u;
const ELU: u32 = 5u;
const SELU: u32 = 6u;
const GELU: u32 = 7u;
const GELU_TANH: u32 = 8u;
const SILU: u32 = 9u;
const SOFTPLUS: u32 = 10u;
const SOFTSIGN: u32 = 11u;
const EXPONENTIAL: u32 = 12u;
const HARD_SIGMOID: u32 = 13u;
const HARD_SILU: u32 = 14u;
const MISH: u32 = 15u;
const LOG: u32 = 16u;

fn activate(v: vec4<f32>) -> vec4<f32> {
    let zero = vec4<f32>(0.0);
    // In 0..1, so that nothing below overflows.
    let e = exp(-abs(v));
    switch ACTIVATION {
        case RELU: { return max(v, zero); }
        case SIGMOID: { return sigmoid(v, e); }
        case TANH: { return stable_tanh(v); }
        case RELU_WITH: {
            let above = min(v, vec4<f32>(params.activation.ceiling));
            return select(params.activation.slope * (v - params.activation.threshold), above, v > vec4<f32>(params.activation.threshold));
        }
        case ELU: { return elu(v, params.activation.slope); }
        case SELU: { return 1.0507009873554805 * elu(v, 1.6732632423543772); }
        case GELU: {
            let tail = 0.5 * v * erfc(abs(v) * 0.7071067811865476);
            return select(tail, v - tail, v > zero);
        }
        case GELU_TANH: {
            // Past 10 the tanh is 1 to the last bit, and the cube might overflow.
            let u = clamp(v, vec4<f32>(-10.0), vec4<f32>(10.0));
            return 0.5 * v * (1.0 + stable_tanh(0.7978845608028654 * (u + 0.044715 * u * u * u)));
        }
        case SILU: { return v * sigmoid(v, e); }
        case SOFTPLUS: { return max(v, zero) + log(1.0 + e); }
        case SOFTSIGN: { return v / (1.0 + abs(v)); }
        case EXPONENTIAL: { return exp(v); }
        case HARD_SIGMOID: { return hard_sigmoid(v); }
        case HARD_SILU: { return v * hard_sigmoid(v); }
        case MISH: {
            let above = (1.0 + 2.0 * e) / (1.0 + 2.0 * e + 2.0 * e * e);
            let below = (e * e + 2.0 * e) / (e * e + 2.0 * e + 2.0);
            return v * select(below, above, v > zero);
        }
        // The smallest normal float: devices may take a smaller one for 0.
        case LOG: { return log(max(v, vec4<f32>(1.17549435e-38))); }
        default: { return v; }
    }
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
