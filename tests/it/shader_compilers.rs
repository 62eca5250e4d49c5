//! Every shader, in every variant that the program compiles, as the compilers behind wgpu's backends
//! get it: written by naga as SPIR-V (Vulkan), HLSL (DX12) and MSL (Metal). Khronos's validator
//! looks at the SPIR-V and its front end at the HLSL; MSL is written, and nothing here reads it.
//!
//! What shaders use stays within the limits that every device of WebGPU has. Browsers' compilers
//! are in `shader_browser.rs`, and drivers' in `device_check.rs`.

use morphscape::kernels::{TEXELS_A_ROW, Variant, variants};
use naga::back::pipeline_constants::process_overrides;
use naga::back::{hlsl, msl, spv};
use naga::proc::{BoundsCheckPolicies, BoundsCheckPolicy};
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use naga::{AddressSpace, Module, ShaderStage, TypeInner};
use rayon::prelude::*;
use std::path::Path;
use std::process::Command;

/// The shader as wgpu hands it to a backend.
fn ready(source: &str) -> (Module, ModuleInfo) {
    let module = naga::front::wgsl::parse_str(source)
        .unwrap_or_else(|error| panic!("{}", error.emit_to_string(source)));
    // No feature of a device is asked for.
    let mut validator = Validator::new(ValidationFlags::all(), Capabilities::empty());
    let info = validator
        .validate(&module)
        .unwrap_or_else(|error| panic!("{}", error.emit_to_string(source)));
    let constants = Default::default();
    let entry = Some((ShaderStage::Compute, "main"));
    let (module, info) = process_overrides(&module, &info, entry, &constants).expect("overrides");
    (module.into_owned(), info.into_owned())
}

fn ready_variant(variant: &Variant) -> (Module, ModuleInfo) {
    ready(&variant.wgsl())
}

/// Versions of SPIR-V and the first Vulkan that takes each, and whether accesses are checked by the
/// shader: wgpu leaves that to drivers that do it themselves.
const VULKAN: [((u8, u8), &str, BoundsCheckPolicy); 3] = [
    ((1, 0), "vulkan1.0", BoundsCheckPolicy::Restrict),
    ((1, 3), "vulkan1.1", BoundsCheckPolicy::Unchecked),
    ((1, 6), "vulkan1.3", BoundsCheckPolicy::Restrict),
];

fn spirv(
    (module, info): &(Module, ModuleInfo),
    lang_version: (u8, u8),
    policy: BoundsCheckPolicy,
) -> Vec<u8> {
    let capabilities = [
        // Those that wgpu takes for granted.
        spv::Capability::Shader,
        spv::Capability::Matrix,
        spv::Capability::Sampled1D,
        spv::Capability::Image1D,
        spv::Capability::ImageQuery,
        spv::Capability::DerivativeControl,
        spv::Capability::StorageImageExtendedFormats,
    ];
    let options = spv::Options {
        lang_version,
        capabilities: Some(capabilities.into_iter().collect()),
        bounds_check_policies: BoundsCheckPolicies {
            index: BoundsCheckPolicy::Restrict,
            buffer: policy,
            image_load: policy,
            binding_array: BoundsCheckPolicy::Unchecked,
        },
        // The program asks for that, here and below.
        zero_initialize_workgroup_memory: spv::ZeroInitializeWorkgroupMemoryMode::None,
        ..Default::default()
    };
    let entry = spv::PipelineOptions {
        shader_stage: ShaderStage::Compute,
        entry_point: "main".to_owned(),
    };
    let words = spv::write_vec(module, info, &options, Some(&entry)).expect("SPIR-V");
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// What a program that reads a file says against it, if anything.
fn refusal(program: &str, arguments: &[&str], file: &Path) -> Option<String> {
    let output = Command::new(program).args(arguments).arg(file).output();
    let output = output.expect("it was there before");
    let said = [output.stdout, output.stderr].concat();
    (!output.status.success()).then(|| String::from_utf8_lossy(&said).into_owned())
}

/// Whether a program is there. With `MORPHSCAPE_REQUIRE_GPU=1`, as in CI, it has to be.
fn has(program: &str, package: &str) -> bool {
    let there = Command::new(program).arg("--version").output().is_ok();
    let is_required = std::env::var("MORPHSCAPE_REQUIRE_GPU").as_deref() == Ok("1");
    assert!(
        there || !is_required,
        "MORPHSCAPE_REQUIRE_GPU=1, and there is no {program} (Debian: {package})"
    );
    if !there {
        println!("not asked: {program} is not here (Debian: {package})");
    }
    there
}

/// Asks of every variant whether something is wrong with it, and fails with all that is.
fn assert_none(what: &str, wrong: impl Fn(&Variant) -> Option<String> + Sync) {
    let variants = variants();
    let found: Vec<String> = (variants.par_iter())
        .filter_map(|variant| Some(format!("{variant}: {}", wrong(variant)?)))
        .collect();
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
    println!("{what}: {} variants", variants.len());
}

#[test]
fn every_variant_is_valid_spirv() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let validates = has("spirv-val", "spirv-tools");
    assert_none("SPIR-V", |variant| {
        let shader = ready_variant(variant);
        VULKAN.into_iter().find_map(|(version, target, policy)| {
            let bytes = spirv(&shader, version, policy);
            let file = folder.path().join(format!("{variant} {target}.spv"));
            std::fs::write(&file, bytes).expect("written");
            let said = validates.then(|| refusal("spirv-val", &["--target-env", target], &file));
            said.flatten().map(|said| format!("{target}: {said}"))
        })
    });
    if validates {
        // The test can fail: a function less.
        let mut bytes = spirv(&ready_variant(&variants()[0]), (1, 0), VULKAN[0].2);
        let half = bytes.len() / 8 * 4;
        bytes.truncate(half);
        let file = folder.path().join("cut.spv");
        std::fs::write(&file, bytes).expect("written");
        let said = refusal("spirv-val", &["--target-env", "vulkan1.0"], &file);
        assert!(said.is_some(), "spirv-val takes half a shader");
    }
}

fn hlsl_text((module, info): &(Module, ModuleInfo), shader_model: hlsl::ShaderModel) -> String {
    let options = hlsl::Options {
        shader_model,
        zero_initialize_workgroup_memory: false,
        ..Default::default()
    };
    let entry = hlsl::PipelineOptions {
        entry_point: Some((ShaderStage::Compute, "main".to_owned())),
    };
    let mut text = String::new();
    let written = hlsl::Writer::new(&mut text, &options, &entry).write(module, info, None);
    let names = written.expect("HLSL").entry_point_names;
    let names: Vec<&String> = names
        .iter()
        .map(|name| name.as_ref().expect("a name"))
        .collect();
    assert_eq!(names, ["main"]);
    text
}

#[test]
fn every_variant_is_hlsl() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let compiles = has("glslangValidator", "glslang-tools");
    let flags = ["-D", "-V", "-e", "main", "-S", "comp", "-o", "/dev/null"];
    assert_none("HLSL", |variant| {
        let shader = ready_variant(variant);
        // For FXC and for DXC.
        let models = [hlsl::ShaderModel::V5_1, hlsl::ShaderModel::V6_0];
        models.into_iter().find_map(|model| {
            let file = folder
                .path()
                .join(format!("{variant} {}.hlsl", model.to_str()));
            std::fs::write(&file, hlsl_text(&shader, model)).expect("written");
            let said = compiles.then(|| refusal("glslangValidator", &flags, &file));
            said.flatten()
        })
    });
    if compiles {
        let file = folder.path().join("wrong.hlsl");
        let text = hlsl_text(&ready_variant(&variants()[0]), hlsl::ShaderModel::V5_1);
        let wrong = text.replacen("return", "return nothing_of_that_name +", 1);
        std::fs::write(&file, wrong).expect("written");
        let said = refusal("glslangValidator", &flags, &file);
        assert!(
            said.is_some(),
            "glslangValidator takes a name that is not there"
        );
    }
}

#[test]
fn every_variant_is_written_as_msl() {
    assert_none("MSL", |variant| {
        let (module, info) = ready_variant(variant);
        let bindings = module.global_variables.iter();
        let bindings = bindings.filter_map(|(_, global)| {
            let binding = global.binding?;
            let slot = binding.binding as u8;
            let is_texture = matches!(module.types[global.ty].inner, TypeInner::Image { .. });
            let target = msl::BindTarget {
                buffer: (!is_texture).then_some(slot),
                texture: is_texture.then_some(slot),
                mutable: true,
                ..Default::default()
            };
            Some((binding, target))
        });
        let resources = msl::EntryPointResources {
            resources: bindings.collect(),
            sizes_buffer: Some(30),
            ..Default::default()
        };
        let options = msl::Options {
            lang_version: (2, 0),
            per_entry_point_map: [("main".to_owned(), resources)].into_iter().collect(),
            fake_missing_bindings: false,
            zero_initialize_workgroup_memory: false,
            ..Default::default()
        };
        let entry = msl::PipelineOptions {
            entry_point: Some((ShaderStage::Compute, "main".to_owned())),
            ..Default::default()
        };
        let written = msl::write_string(&module, &info, &options, &entry);
        match written {
            Ok((_, names)) => names.entry_point_names[0]
                .as_ref()
                .err()
                .map(|e| e.to_string()),
            Err(error) => Some(error.to_string()),
        }
    });
}

/// What every device of WebGPU has (its specification, "Limits", the defaults). Neither wgpu nor the
/// drivers of the other tests refuse a shader that takes more memory of a workgroup.
const MOST: [(&str, u32); 7] = [
    ("storage buffers", 8),
    ("storage textures", 4),
    ("uniform buffers", 12),
    ("bytes of a uniform buffer", 65_536),
    ("bytes of a workgroup", 16_384),
    ("invocations of a workgroup", 256),
    ("bindings of a group", 1_000),
];

/// What a shader uses, in the order of [`MOST`].
fn used(module: &Module) -> [u32; 7] {
    let globals = || module.global_variables.iter().map(|(_, global)| global);
    let count = |fits: &dyn Fn(&naga::GlobalVariable) -> bool| {
        globals().filter(|global| fits(global)).count() as u32
    };
    let is_texture = |global: &naga::GlobalVariable| {
        matches!(module.types[global.ty].inner, TypeInner::Image { .. })
    };
    let bytes = |space: AddressSpace| {
        let of = globals().filter(move |global| global.space == space);
        of.map(|global| {
            module.types[global.ty]
                .inner
                .size(module.to_ctx())
                .next_multiple_of(16)
        })
    };
    let size = module.entry_points[0].workgroup_size;
    [
        count(&|global| matches!(global.space, AddressSpace::Storage { .. })),
        count(&is_texture),
        count(&|global| global.space == AddressSpace::Uniform),
        bytes(AddressSpace::Uniform).max().unwrap_or(0),
        bytes(AddressSpace::WorkGroup).sum(),
        size.iter().product(),
        count(&|global| global.binding.is_some()),
    ]
}

fn beyond(module: &Module) -> Option<String> {
    let used = used(module).into_iter().zip(MOST);
    let mut beyond = used.filter(|(used, (_, most))| used > most);
    let (used, (name, most)) = beyond.next()?;
    Some(format!("{used} {name}, {most} is the most"))
}

#[test]
fn every_variant_stays_within_the_limits_of_webgpu() {
    assert_none("limits", |variant| beyond(&ready_variant(variant).0));
    const { assert!(TEXELS_A_ROW <= 8192, "a texture's width") };
}

#[test]
fn a_shader_beyond_a_limit_is_seen() {
    let moments = variants()
        .into_iter()
        .find(|v| v.kernel.spec().name == "walk_moments");
    let source = moments.expect("a kernel").wgsl();
    for (before, after, name) in [
        (
            "array<Moments, 64>",
            "array<Moments, 1000>",
            "bytes of a workgroup",
        ),
        (
            "@workgroup_size(64)",
            "@workgroup_size(16, 32)",
            "invocations",
        ),
        (
            "    step: u32,",
            "    step: u32, more: array<vec4<u32>, 5000>,",
            "bytes of a uniform",
        ),
    ] {
        assert!(
            source.contains(before),
            "the shader no longer holds {before}"
        );
        let module = naga::front::wgsl::parse_str(&source.replace(before, after)).expect("WGSL");
        let found = beyond(&module).unwrap_or_default();
        assert!(found.contains(name), "{after}: {found}");
    }
}
