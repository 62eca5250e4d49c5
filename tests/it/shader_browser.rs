//! Every shader, in every variant that the program compiles, in a browser's own compiler: Chromium's
//! WebGPU, on SwiftShader and with the limits that every device has.

use crate::browser::{Graphics, Page};
use morphscape::kernels::{Access, Binding, Element, Kernel, Loads, Variant, variants};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpListener;

/// An empty page at an address of this machine: of a file the browser does not say whether it is
/// secure, and WebGPU is for secure pages.
fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            // Whatever is asked for.
            let _ = stream.read(&mut [0; 4096]);
            let body = "<!doctype html><title>shaders</title><link rel=icon href=data:,>";
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close";
            let _ = write!(
                stream,
                "{head}\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
        }
    });
    format!("http://{address}/")
}

/// Opens a device without asking for features or limits, and says which adapter it is of.
const OPEN: &str = "(async () => {
    const adapter = await navigator.gpu?.requestAdapter();
    if (!adapter) return 'none';
    window.device = await adapter.requestDevice();
    const { vendor, architecture, description } = adapter.info;
    return [vendor, architecture, description].join(' ');
})()";

/// `compiled(code, entries)`: what the compiler and the pipeline say against a shader.
const COMPILED: &str = "window.compiled = async (code, entries) => {
    device.pushErrorScope('internal');
    device.pushErrorScope('validation');
    const module = device.createShaderModule({ code });
    const { messages } = await module.getCompilationInfo();
    const said = messages.map((m) => `${m.type} in line ${m.lineNum}: ${m.message}`);
    const layout = device.createPipelineLayout({
        bindGroupLayouts: [device.createBindGroupLayout({ entries })],
    });
    const compute = { module, entryPoint: 'main' };
    await device.createComputePipelineAsync({ layout, compute }).catch((e) => said.push(e.message));
    for (const _ of [0, 1]) {
        const error = await device.popErrorScope();
        if (error) said.push(error.message);
    }
    return said;
}; 0";

/// A binding's part of the layout, as the executor has it.
fn entry(number: usize, binding: &Binding, loads: Loads) -> Value {
    // GPUShaderStage.COMPUTE
    let entry = |key: &str, value: Value| json!({"binding": number, "visibility": 4, key: value});
    if binding.access == Access::Load && loads == Loads::Textures {
        let format = match binding.element {
            Element::F32 => "r32float",
            Element::Vec4I32 => "rgba32sint",
            Element::Vec4U32 => "rgba32uint",
            _ => "rgba32float",
        };
        return entry(
            "storageTexture",
            json!({"access": "read-only", "format": format}),
        );
    }
    let ty = match binding.access {
        Access::ReadWrite => "storage",
        Access::Read | Access::Load => "read-only-storage",
    };
    entry("buffer", json!({"type": ty}))
}

/// The arguments of `compiled` for a variant whose text is `code`.
fn arguments(variant: &Variant, code: &str) -> Value {
    let uniform = json!({"binding": 0, "visibility": 4, "buffer": {"type": "uniform"}});
    let bindings = variant.kernel.spec().bindings.iter().zip(1..);
    let bindings = bindings.map(|(binding, number)| entry(number, binding, variant.loads));
    let entries: Vec<Value> = [uniform].into_iter().chain(bindings).collect();
    json!([code, entries])
}

/// What is said against each of these shaders.
fn said(page: &Page, shaders: &[Value]) -> Vec<Vec<String>> {
    let list = Value::from(shaders);
    let text = page.text(&format!(
        "(async () => {{
            const said = [];
            for (const shader of {list}) said.push(await compiled(...shader));
            return JSON.stringify(said);
        }})()"
    ));
    serde_json::from_str(&text).expect("lists of texts")
}

#[test]
fn a_browser_compiles_every_variant() {
    let page = Page::open_with(Graphics::WebGpu, &serve(), "isSecureContext");
    let Some(page) = page else { return };
    let adapter = page.text(OPEN);
    println!("WebGPU on {adapter}");
    assert_ne!(adapter, "none", "the browser has no WebGPU");
    page.value(COMPILED);
    let all = variants();
    let mut wrong = Vec::new();
    // A few at a time: what is evaluated has to be done within the tab's time.
    for few in all.chunks(4) {
        let shaders: Vec<Value> = few.iter().map(|v| arguments(v, &v.wgsl())).collect();
        let said = said(&page, &shaders);
        assert_eq!(said.len(), few.len());
        for (variant, said) in few.iter().zip(said) {
            wrong.extend(said.iter().map(|said| format!("{variant}: {said}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{} variants", all.len());

    // The test can fail: in the compiler, and in the pipeline.
    let moments = variants()
        .into_iter()
        .find(|v| v.kernel == Kernel::WalkMoments);
    let moments = moments.expect("a variant");
    let source = moments.wgsl();
    for (before, after, word) in [
        ("sqrt(square)", "sqrt(cube)", "cube"),
        (
            "        workgroupBarrier();",
            "        if local < half { workgroupBarrier(); }",
            "uniform",
        ),
        ("array<Moments, 64>", "array<Moments, 1000>", "workgroup"),
        ("@workgroup_size(64)", "@workgroup_size(512)", "256"),
        ("read> walkers", "read_write> walkers", "ReadOnlyStorage"),
    ] {
        assert!(
            source.contains(before),
            "the shader no longer holds {before}"
        );
        let shader = arguments(&moments, &source.replace(before, after));
        let said = said(&page, &[shader]).concat().join("\n");
        assert!(said.contains(word), "{after}: {said}");
    }
}
