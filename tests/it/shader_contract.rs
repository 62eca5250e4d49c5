//! Holds each shader to its row of the kernel table: entry point, workgroup size, bindings,
//! every member of the structs and every whole number that host and shader share. Needs no GPU.

use morphscape::kernels::{
    Access, Element, KERNELS, Kernel, KernelSpec, Loads, SHARED_STRUCTS, Sampling, StructSpec,
};
use naga::valid::{Capabilities, ValidationFlags, Validator};
use naga::{
    AddressSpace, ArraySize, GlobalVariable, ImageClass, ImageDimension, Module, ScalarKind,
    StorageAccess, StorageFormat, TypeInner, VectorSize,
};
use naga::{Expression, Literal};
use std::collections::{BTreeMap, BTreeSet};

fn parse(spec: &KernelSpec, loads: Loads) -> Module {
    let source = spec.wgsl(loads, &[]);
    let module = naga::front::wgsl::parse_str(&source)
        .unwrap_or_else(|error| panic!("{}", error.emit_to_string(&source)));
    let mut validator = Validator::new(ValidationFlags::all(), Capabilities::empty());
    if let Err(error) = validator.validate(&module) {
        panic!("{}: {}", spec.name, error.emit_to_string(&source));
    }
    module
}

/// The differences between a struct of the module and the host's, in words.
fn struct_differences(
    module: &Module,
    inner: &TypeInner,
    name: Option<&str>,
    expected: &StructSpec,
) -> Vec<String> {
    let TypeInner::Struct { members, span } = inner else {
        return vec![format!(
            "expected a struct {}, found {inner:?}",
            expected.name
        )];
    };
    let found: Vec<(String, usize, usize)> = members
        .iter()
        .map(|member| {
            let size = module.types[member.ty].inner.size(module.to_ctx()) as usize;
            (
                member.name.clone().unwrap_or_default(),
                member.offset as usize,
                size,
            )
        })
        .collect();
    let wanted: Vec<(String, usize, usize)> = expected
        .members
        .iter()
        .map(|&(name, offset, size)| (name.to_owned(), offset, size))
        .collect();
    let mut differences = Vec::new();
    for member in members {
        let ty = &module.types[member.ty];
        if matches!(ty.inner, TypeInner::Struct { .. }) {
            let name = ty.name.as_deref();
            let shared = SHARED_STRUCTS.iter().find(|spec| name == Some(spec.name));
            match shared {
                Some(spec) => differences.extend(struct_differences(module, &ty.inner, name, spec)),
                None => differences.push(format!("struct {name:?} is not in SHARED_STRUCTS")),
            }
        }
    }
    if name != Some(expected.name) {
        differences.push(format!("expected struct {}, found {name:?}", expected.name));
    }
    if found != wanted {
        differences.push(format!(
            "{}: expected members (name, offset, size) {wanted:?}, found {found:?}",
            expected.name
        ));
    }
    if *span as usize != expected.size {
        differences.push(format!(
            "{}: expected {} bytes, found {span}",
            expected.name, expected.size
        ));
    }
    differences
}

fn binding_differences(
    module: &Module,
    number: usize,
    global: &GlobalVariable,
    spec: &KernelSpec,
    loads: Loads,
) -> Vec<String> {
    let inner = &module.types[global.ty].inner;
    if number == 0 {
        let mut differences = struct_differences(
            module,
            inner,
            module.types[global.ty].name.as_deref(),
            &spec.params,
        );
        if global.space != AddressSpace::Uniform {
            differences.push("binding 0: expected the uniform".to_owned());
        }
        return differences;
    }
    let Some(expected) = spec.bindings.get(number - 1) else {
        return vec![format!("binding {number} is not in the table")];
    };
    let mut differences = Vec::new();
    if global.name.as_deref() != Some(expected.name) {
        differences.push(format!(
            "binding {number}: expected {}, found {:?}",
            expected.name, global.name
        ));
    }
    if expected.access == Access::Load && loads == Loads::Textures {
        let format = match expected.element {
            Element::F32 => StorageFormat::R32Float,
            Element::Vec4I32 => StorageFormat::Rgba32Sint,
            Element::Vec4U32 => StorageFormat::Rgba32Uint,
            _ => StorageFormat::Rgba32Float,
        };
        let access = StorageAccess::LOAD;
        let texture = TypeInner::Image {
            dim: ImageDimension::D2,
            arrayed: false,
            class: ImageClass::Storage { format, access },
        };
        if *inner != texture {
            differences.push(format!(
                "{}: expected {texture:?}, found {inner:?}",
                expected.name
            ));
        }
        return differences;
    }
    let access = match expected.access {
        Access::Read | Access::Load => StorageAccess::LOAD,
        Access::ReadWrite => StorageAccess::LOAD | StorageAccess::STORE,
    };
    if global.space != (AddressSpace::Storage { access }) {
        differences.push(format!(
            "{}: expected storage {access:?}, found {:?}",
            expected.name, global.space
        ));
    }
    let TypeInner::Array {
        base,
        size: ArraySize::Dynamic,
        ..
    } = *inner
    else {
        differences.push(format!(
            "{}: expected a runtime-sized array, found {inner:?}",
            expected.name
        ));
        return differences;
    };
    let element = &module.types[base];
    let vec4 = |kind| matches!(element.inner, TypeInner::Vector { size: VectorSize::Quad, scalar } if scalar.kind == kind && scalar.width == 4);
    let fits = match expected.element {
        Element::F32 => {
            matches!(element.inner, TypeInner::Scalar(scalar) if scalar.kind == ScalarKind::Float && scalar.width == 4)
        }
        Element::U32 => {
            matches!(element.inner, TypeInner::Scalar(scalar) if scalar.kind == ScalarKind::Uint && scalar.width == 4)
        }
        Element::Vec4F32 => vec4(ScalarKind::Float),
        Element::Vec4I32 => vec4(ScalarKind::Sint),
        Element::Vec4U32 => vec4(ScalarKind::Uint),
        Element::AtomicU32 => {
            matches!(element.inner, TypeInner::Atomic(scalar) if scalar.kind == ScalarKind::Uint && scalar.width == 4)
        }
        Element::Struct(ref spec) => {
            differences.extend(struct_differences(
                module,
                &element.inner,
                element.name.as_deref(),
                spec,
            ));
            true
        }
    };
    if !fits {
        differences.push(format!(
            "{}: expected elements {:?}, found {:?}",
            expected.name, expected.element, element.inner
        ));
    }
    differences
}

/// Whole numbers that a shader names and the host has no use for, by the shader.
const OF_THE_SHADER: [(&str, &str); 1] = [
    // How many triangles' numbers a strip's eight digit masks hold.
    ("warp", "MOST_NUMBERS"),
];

/// The shader's named whole numbers against those of the host, either way: one that only the
/// shader names is its own or has been forgotten on the host.
fn constant_differences(module: &Module, spec: &KernelSpec) -> Vec<String> {
    let mut found = BTreeMap::new();
    for (_, constant) in module.constants.iter() {
        let Some(name) = constant.name.as_deref() else {
            continue;
        };
        match module.global_expressions[constant.init] {
            Expression::Literal(Literal::U32(value)) => found.insert(name, i64::from(value)),
            Expression::Literal(Literal::I32(value)) => found.insert(name, i64::from(value)),
            _ => None,
        };
    }
    let mut differences = Vec::new();
    let size = ("WORKGROUP_SIZE", i64::from(spec.workgroup_size));
    for (name, expected) in spec.constants.concat().into_iter().chain([size]) {
        match found.remove(name) {
            Some(value) if value == expected => {}
            Some(value) => differences.push(format!("expected {name} {expected}, found {value}")),
            None => differences.push(format!("expected a constant {name}, found none")),
        }
    }
    for (name, value) in found {
        let is_written = |&(written, _): &(&str, usize)| written == name;
        if spec.compiled_for.iter().any(is_written) {
            continue;
        }
        if !OF_THE_SHADER.contains(&(spec.name, name)) {
            differences.push(format!("{name} = {value} is not in the row's constants"));
        }
    }
    differences
}

/// Everything in which a shader differs from its row.
fn differences(module: &Module, spec: &KernelSpec, loads: Loads) -> Vec<String> {
    let mut differences = Vec::new();
    let [entry] = &module.entry_points[..] else {
        return vec![format!(
            "expected one entry point, found {}",
            module.entry_points.len()
        )];
    };
    if entry.name != "main" {
        differences.push(format!("expected entry point main, found {}", entry.name));
    }
    if entry.workgroup_size != [spec.workgroup_size, 1, 1] {
        differences.push(format!(
            "expected workgroups of {}, found {:?}",
            spec.workgroup_size, entry.workgroup_size
        ));
    }
    differences.extend(constant_differences(module, spec));
    let mut numbers = BTreeSet::new();
    for (_, global) in module.global_variables.iter() {
        let Some(binding) = &global.binding else {
            continue;
        };
        numbers.insert(binding.binding as usize);
        if binding.group != 0 {
            differences.push(format!(
                "{:?}: expected group 0, found {}",
                global.name, binding.group
            ));
        }
        differences.extend(binding_differences(
            module,
            binding.binding as usize,
            global,
            spec,
            loads,
        ));
    }
    if numbers != (0..=spec.bindings.len()).collect() {
        differences.push(format!(
            "expected bindings 0 to {}, found {numbers:?}",
            spec.bindings.len()
        ));
    }
    differences
}

#[test]
fn every_shader_keeps_its_contract() {
    for spec in KERNELS.iter().map(|kernel| kernel.spec()) {
        for loads in [Loads::Buffers, Loads::Textures] {
            let found = differences(&parse(spec, loads), spec, loads);
            assert!(
                found.is_empty(),
                "shaders/{}.wgsl, {loads:?}:\n  {}",
                spec.name,
                found.join("\n  ")
            );
        }
    }
}

#[test]
fn every_shader_and_twin_stands_in_the_table() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let shaders = std::fs::read_dir(root.join("shaders")).expect("shaders/");
    let stems: BTreeSet<String> = shaders
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "wgsl")
        })
        .map(|path| {
            path.file_stem()
                .expect("a stem")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    let named: BTreeSet<String> = KERNELS
        .iter()
        .map(|kernel| kernel.spec().name.to_owned())
        .collect();
    assert_eq!(stems, named, "shaders/*.wgsl against the kernel table");
    for name in named {
        assert!(
            root.join(format!("src/kernels/{name}.rs")).is_file(),
            "src/kernels/{name}.rs is missing"
        );
    }
}

#[test]
fn every_difference_is_seen() {
    let spec = Kernel::Warp(Sampling::Cubic).spec();
    let changes = [
        (
            "mesh_alpha: i32, // alpha * 2^15, rounded\n    alpha: f32",
            "alpha: f32,\n    mesh_alpha: i32",
        ),
        ("@workgroup_size(64)", "@workgroup_size(32)"),
        ("WORKGROUP_SIZE: u32 = 64", "WORKGROUP_SIZE: u32 = 32"),
        (
            "const MOST_NUMBERS",
            "const MORE_NUMBERS: u32 = 3u;\nconst MOST_NUMBERS",
        ),
        (
            "@compute @workgroup_size(64)\nfn main",
            "@compute @workgroup_size(64)\nfn run",
        ),
        (
            "    cell_width: u32, // pixels\n",
            "    cell_width: u32,\n    more: u32,\n",
        ),
        (
            "var<storage, read> cells: array<vec4<u32>>",
            "var<storage, read_write> cells: array<vec4<u32>>",
        ),
        (
            "@group(0) @binding(4) var<storage, read> jobs",
            "@group(0) @binding(7) var<storage, read> jobs",
        ),
        (
            "cells: array<vec4<u32>>; // [pairs,",
            "cells: array<vec4<u32>, 8>; // [pairs,",
        ),
        (
            "var<storage, read> corners: array<vec4<i32>>",
            "var<storage, read> corners: array<vec4<f32>>",
        ),
    ];
    for (before, after) in changes {
        let source = spec.wgsl(Loads::Buffers, &[]);
        assert!(
            source.contains(before),
            "the shader no longer holds {before:?}"
        );
        let changed = source.replace(before, after);
        let module = naga::front::wgsl::parse_str(&changed)
            .unwrap_or_else(|error| panic!("{}", error.emit_to_string(&changed)));
        assert!(
            !differences(&module, spec, Loads::Buffers).is_empty(),
            "not seen: {after:?}"
        );
    }
}

#[test]
fn another_value_of_any_shared_constant_is_seen() {
    for spec in KERNELS.iter().map(|kernel| kernel.spec()) {
        let constants = spec.constants.concat();
        let names = constants.into_iter().map(|(name, _)| name);
        for name in names.chain(["WORKGROUP_SIZE"]) {
            let source = spec.wgsl(Loads::Buffers, &[]);
            let (before, rest) = source
                .split_once(&format!("const {name}: "))
                .unwrap_or_else(|| panic!("{}: no constant {name}", spec.name));
            // A digit more is another number.
            let (declared, after) = rest.split_once(" = ").expect("a value");
            let changed = format!("{before}const {name}: {declared} = 1{after}");
            let module = naga::front::wgsl::parse_str(&changed)
                .unwrap_or_else(|error| panic!("{}", error.emit_to_string(&changed)));
            let found = constant_differences(&module, spec);
            assert!(
                found.iter().any(|text| text.contains(name)),
                "{}: not seen: {name}, {found:?}",
                spec.name
            );
        }
    }
}
