//! Runs one recording: buffers, bind groups, one submission, and the downloads.
//!
//! Where loads go through textures, a buffer that a command loads from is copied to one right
//! before it. Buffers are whole rows of such a texture long.

use super::constants::Resource;
use super::lost::without_panic;
use super::spare::LoadTexture;
use super::texel::Texel;
use super::{Engine as _, GpuEngine, Trouble, one_line};
use crate::kernels::{
    Access, BUDGET, Binding, Command, Contents, Downloads, Loads, Recording, TEXELS_A_ROW,
};
use futures::channel::oneshot;
use std::collections::hash_map::Entry;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock, PoisonError};

/// wgpu has one pipeline object a kernel; ours is the sequence of stages.
pub(super) struct CompiledKernel {
    pipeline: wgpu::ComputePipeline,
    layout: wgpu::BindGroupLayout,
}

/// Empty until a run has compiled its kernel.
pub(super) type CompiledCell = Arc<OnceLock<CompiledKernel>>;

/// The commands that have something to do.
fn dispatched(recording: &Recording) -> impl Iterator<Item = &Command> {
    let commands = recording.commands().iter();
    commands.filter(|command| command.workgroups > 0)
}

/// A row of a texture of the largest texels.
const LONGEST_ROW_BYTES: u64 = 16 * TEXELS_A_ROW as u64;

/// The longest buffer that can be bound, bytes.
pub(super) fn buffer_limit(limits: &wgpu::Limits, loads: Loads) -> u64 {
    let texels = u64::from(TEXELS_A_ROW) * u64::from(limits.max_texture_dimension_2d);
    match loads {
        Loads::Buffers => limits.max_storage_buffer_binding_size,
        // A texture of single values is the one that holds least.
        Loads::Textures => limits.max_storage_buffer_binding_size.min(4 * texels),
    }
}

impl GpuEngine {
    pub(super) fn execute(&self, recording: &Recording) -> Result<Downloads, Trouble> {
        let words = self.scoped(|| self.submit_and_read(recording))?;
        Ok(Downloads::new(recording, words))
    }

    /// What `work` on the device gives, and whatever wgpu says of it: errors that it would hand to
    /// a process-wide handler, which panics, and panics.
    pub(super) fn scoped<T>(
        &self,
        work: impl FnOnce() -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let [memory, internal, validation] = [
            wgpu::ErrorFilter::OutOfMemory,
            wgpu::ErrorFilter::Internal,
            wgpu::ErrorFilter::Validation,
        ]
        .map(|filter| self.device.push_error_scope(filter));
        let result = without_panic(work);
        // The innermost first.
        let [validation, internal, memory] =
            [validation, internal, memory].map(|scope| pollster::block_on(scope.pop()));
        let other = internal.or(validation);
        if memory.is_some() || other.is_some() || !matches!(result, Ok(Ok(_))) {
            // Some devices are known to be lost only when they are asked.
            drop(without_panic(|| self.device.poll(wgpu::PollType::Poll)));
        }
        if let Some(trouble) = self.trouble([memory, other]) {
            return Err(trouble);
        }
        result.map_err(|reason| Trouble::Failed {
            adapter: self.info.adapter.clone(),
            reason,
        })?
    }

    /// What came first of all that went wrong: a lost device and one without memory make what
    /// comes after invalid, too.
    pub(super) fn trouble(&self, [memory, other]: [Option<wgpu::Error>; 2]) -> Option<Trouble> {
        let adapter = self.info.adapter.clone();
        if let Some(reason) = self.lost.reason() {
            return Some(Trouble::Lost { adapter, reason });
        }
        if let Some(error) = memory {
            let reason = one_line(&error);
            return Some(Trouble::OutOfMemory { adapter, reason });
        }
        other.map(|error| self.failed(error))
    }

    fn submit_and_read(&self, recording: &Recording) -> Result<Vec<Vec<u32>>, Trouble> {
        self.compile_new(recording);
        self.drop_constants();
        let mut encoder = self
            .device
            .create_command_encoder(&wgpu::CommandEncoderDescriptor {
                label: Some("recording"),
            });
        let buffers = self.create_buffers(recording, &mut encoder)?;
        let mut textures = Vec::new();
        for command in dispatched(recording) {
            let (cell, _) = self.cell(command);
            let compiled = self.compiled(&cell, command);
            let place = (&buffers[..], &mut textures, &mut encoder);
            let bind_group = self.bind(recording, command, compiled, place)?;
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: Some(command.kernel.spec().name),
                timestamp_writes: None,
            });
            let (x, y) = self.fold_workgroups(command.workgroups, recording.most_workgroups());
            pass.set_pipeline(&compiled.pipeline);
            pass.set_bind_group(0, &bind_group, &[]);
            pass.dispatch_workgroups(x, y, 1);
        }
        let staging: Vec<Option<wgpu::Buffer>> = recording
            .downloads()
            .iter()
            .map(|&id| {
                let size = recording.buffers()[id].words as u64 * 4;
                let on_device = buffers[id].as_ref().filter(|_| size > 0);
                on_device.map(|on_device| {
                    let usage = wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ;
                    let label = Some(recording.buffers()[id].label);
                    let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
                        label,
                        size,
                        usage,
                        mapped_at_creation: false,
                    });
                    encoder.copy_buffer_to_buffer(on_device, 0, &buffer, 0, size);
                    buffer
                })
            })
            .collect();
        let submission_index = self.queue.submit([encoder.finish()]);
        let mut words = self.read_back(staging, submission_index)?;
        for (words, &id) in words.iter_mut().zip(recording.downloads()) {
            if let Contents::Constant(constant) = &recording.buffers()[id].contents {
                *words = constant.words().to_vec();
            }
        }
        // Textures hold what buffers hold once more.
        let copies = match self.loads {
            Loads::Buffers => 1,
            Loads::Textures => 2,
        };
        let most = copies * BUDGET.buffers_a_recording * self.batch_buffer_bytes();
        let buffers = buffers.into_iter().flatten();
        self.spare
            .give_back(buffers, textures.into_iter(), most as u64);
        Ok(words)
    }

    /// The buffers of a recording's own; none for a constant. Those that kernels write to hold zeros.
    fn create_buffers(
        &self,
        recording: &Recording,
        encoder: &mut wgpu::CommandEncoder,
    ) -> Result<Vec<Option<wgpu::Buffer>>, Trouble> {
        let limit = buffer_limit(&self.device.limits(), self.loads);
        let mut buffers = Vec::with_capacity(recording.buffers().len());
        for declared in recording.buffers() {
            let bytes = declared.words as u64 * 4;
            if bytes > limit {
                return Err(Trouble::BufferTooLarge {
                    label: declared.label,
                    bytes,
                    limit,
                    adapter: self.info.adapter.clone(),
                });
            }
            if matches!(declared.contents, Contents::Constant(_)) {
                buffers.push(None);
                continue;
            }
            // A binding cannot be empty, and a vec4 array needs one whole element.
            let size = match self.loads {
                Loads::Buffers => bytes.max(16),
                Loads::Textures => bytes.max(1).next_multiple_of(LONGEST_ROW_BYTES),
            };
            let spare = self.spare.buffer(size);
            let is_used = spare.is_some();
            let buffer = match spare {
                Some(buffer) => {
                    if declared.given().is_none() {
                        encoder.clear_buffer(&buffer, 0, None);
                    }
                    buffer
                }
                None => self.device.create_buffer(&wgpu::BufferDescriptor {
                    label: Some(declared.label),
                    size,
                    usage: wgpu::BufferUsages::STORAGE
                        | wgpu::BufferUsages::COPY_SRC
                        | wgpu::BufferUsages::COPY_DST,
                    mapped_at_creation: false,
                }),
            };
            if let Some(words) = declared.given() {
                self.write(&buffer, bytemuck::cast_slice(words));
                // What a buffer held before lies behind, where a load may reach that counts for nothing.
                let behind = vec![0; (buffer.size() - bytes) as usize];
                if is_used && !behind.is_empty() {
                    self.queue.write_buffer(&buffer, bytes, &behind);
                }
            }
            buffers.push(Some(buffer));
        }
        Ok(buffers)
    }

    /// Writes to a buffer, ahead of what is submitted next.
    pub(super) fn write(&self, buffer: &wgpu::Buffer, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.count_upload(bytes.len());
            self.queue.write_buffer(buffer, 0, bytes);
        }
    }

    pub(super) fn count_upload(&self, bytes: usize) {
        self.uploaded_bytes
            .fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn bind(
        &self,
        recording: &Recording,
        command: &Command,
        compiled: &CompiledKernel,
        (buffers, textures, encoder): (
            &[Option<wgpu::Buffer>],
            &mut Vec<LoadTexture>,
            &mut wgpu::CommandEncoder,
        ),
    ) -> Result<wgpu::BindGroup, Trouble> {
        let spec = command.kernel.spec();
        let params = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(&format!("{}.params", spec.name)),
            size: spec.params.size as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        self.queue
            .write_buffer(&params, 0, bytemuck::cast_slice(&command.params));
        let bound = command.inputs.iter().chain([&command.output]);
        let bound: Vec<Resource> = (spec.bindings.iter().zip(bound))
            .map(|(binding, &id)| {
                let texel = self.texel(binding);
                let declared = &recording.buffers()[id];
                match (&buffers[id], &declared.contents) {
                    (_, Contents::Constant(constant)) => {
                        self.constant(declared.label, constant, texel)
                    }
                    (Some(buffer), _) => Ok(match texel {
                        Some(texel) => {
                            let load = self.copy_to_texture(buffer, texel, encoder);
                            let view = load.texture.create_view(&Default::default());
                            textures.push(load);
                            Resource::Texture(view)
                        }
                        None => Resource::Buffer(buffer.clone()),
                    }),
                    (None, _) => unreachable!("only constants are without a buffer here"),
                }
            })
            .collect::<Result<_, _>>()?;
        let entries: Vec<_> = [params.as_entire_binding()]
            .into_iter()
            .chain(bound.iter().map(Resource::binding))
            .zip(0..)
            .map(|(resource, binding)| wgpu::BindGroupEntry { binding, resource })
            .collect();
        let label = format!("{}.bindings", spec.name);
        Ok(self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(&label),
            layout: &compiled.layout,
            entries: &entries,
        }))
    }

    /// What a texel of the texture behind a binding is, if there is one.
    fn texel(&self, binding: &Binding) -> Option<Texel> {
        (binding.access == Access::Load && self.loads == Loads::Textures)
            .then(|| Texel::of(binding.element))
    }

    fn copy_to_texture(
        &self,
        buffer: &wgpu::Buffer,
        texel: Texel,
        encoder: &mut wgpu::CommandEncoder,
    ) -> LoadTexture {
        let row_bytes = texel.bytes * TEXELS_A_ROW;
        let rows = (buffer.size() / u64::from(row_bytes)) as u32;
        let load = self.spare.texture(rows, texel).unwrap_or_else(|| {
            let (texture, _) = self.load_texture("loads", rows, texel);
            LoadTexture {
                texture,
                rows,
                texel,
            }
        });
        let layout = wgpu::TexelCopyBufferLayout {
            offset: 0,
            bytes_per_row: Some(row_bytes),
            rows_per_image: None,
        };
        let from = wgpu::TexelCopyBufferInfo { buffer, layout };
        encoder.copy_buffer_to_texture(from, load.texture.as_image_copy(), load.texture.size());
        load
    }

    /// A texture of so many rows, through which a kernel is to load.
    pub(super) fn load_texture(
        &self,
        label: &str,
        rows: u32,
        texel: Texel,
    ) -> (wgpu::Texture, wgpu::Extent3d) {
        let size = wgpu::Extent3d {
            width: TEXELS_A_ROW,
            height: rows,
            depth_or_array_layers: 1,
        };
        let texture = self.device.create_texture(&wgpu::TextureDescriptor {
            label: Some(label),
            size,
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: texel.format,
            usage: wgpu::TextureUsages::STORAGE_BINDING | wgpu::TextureUsages::COPY_DST,
            view_formats: &[],
        });
        (texture, size)
    }

    /// More workgroups than one dimension takes go into rows; shaders undo it with
    /// `linear_workgroup` and leave out what lies past the end.
    fn fold_workgroups(&self, workgroups: usize, most: Option<usize>) -> (u32, u32) {
        let limit = self.device.limits().max_compute_workgroups_per_dimension as usize;
        let limit = most.map_or(limit, |most| limit.min(most));
        let rows = workgroups.div_ceil(limit);
        (workgroups.div_ceil(rows) as u32, rows as u32)
    }

    fn read_back(
        &self,
        staging: Vec<Option<wgpu::Buffer>>,
        submission_index: wgpu::SubmissionIndex,
    ) -> Result<Vec<Vec<u32>>, Trouble> {
        let mapped: Vec<_> = staging
            .iter()
            .map(|buffer| {
                let (sender, receiver) = oneshot::channel();
                if let Some(buffer) = buffer {
                    // The receiver only goes away when this function has failed already.
                    buffer.map_async(wgpu::MapMode::Read, .., move |result| {
                        drop(sender.send(result))
                    });
                }
                receiver
            })
            .collect();
        self.device
            .poll(wgpu::PollType::Wait {
                submission_index: Some(submission_index),
                timeout: None,
            })
            .map_err(|error| self.failed(error))?;
        staging
            .iter()
            .zip(mapped)
            .map(|(buffer, receiver)| {
                let Some(buffer) = buffer else {
                    return Ok(Vec::new());
                };
                pollster::block_on(receiver)
                    .map_err(|error| self.failed(error))?
                    .map_err(|error| self.failed(error))?;
                let view = buffer
                    .get_mapped_range(..)
                    .map_err(|error| self.failed(error))?;
                Ok(view
                    .chunks_exact(4)
                    .map(|word| u32::from_ne_bytes([word[0], word[1], word[2], word[3]]))
                    .collect())
            })
            .collect()
    }

    /// Compiles the kernels of a recording that no run has begun with, so that two runs at once
    /// share the work in the place of waiting for each other's first kernel.
    fn compile_new(&self, recording: &Recording) {
        for command in dispatched(recording) {
            let (cell, is_new) = self.cell(command);
            if is_new {
                self.compiled(&cell, command);
            }
        }
    }

    /// Where a command's kernel is kept, and whether nobody has asked for it before.
    fn cell(&self, command: &Command) -> (CompiledCell, bool) {
        // The map is whole after every panic: nothing is done but looking and adding.
        let mut cells = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        match cells.entry((command.kernel, command.constants())) {
            Entry::Occupied(entry) => (Arc::clone(entry.get()), false),
            Entry::Vacant(entry) => (Arc::clone(entry.insert(CompiledCell::default())), true),
        }
    }

    /// A command's kernel; a run that is compiling it is waited for, and if that fails, this one
    /// compiles it.
    fn compiled<'c>(&self, cell: &'c CompiledCell, command: &Command) -> &'c CompiledKernel {
        cell.get_or_init(|| self.compile(command))
    }

    fn compile(&self, command: &Command) -> CompiledKernel {
        let spec = command.kernel.spec();
        let label = Some(spec.name);
        let source = wgpu::ShaderSource::Wgsl(spec.wgsl(self.loads, &command.constants()).into());
        let module = self
            .device
            .create_shader_module(wgpu::ShaderModuleDescriptor { label, source });
        let buffer = |ty| wgpu::BindingType::Buffer {
            ty,
            has_dynamic_offset: false,
            min_binding_size: None,
        };
        let bindings = spec
            .bindings
            .iter()
            .map(|binding| match self.texel(binding) {
                Some(texel) => wgpu::BindingType::StorageTexture {
                    access: wgpu::StorageTextureAccess::ReadOnly,
                    format: texel.format,
                    view_dimension: wgpu::TextureViewDimension::D2,
                },
                None => buffer(wgpu::BufferBindingType::Storage {
                    read_only: binding.access != Access::ReadWrite,
                }),
            });
        let entries: Vec<_> = [buffer(wgpu::BufferBindingType::Uniform)]
            .into_iter()
            .chain(bindings)
            .zip(0..)
            .map(|(ty, binding)| wgpu::BindGroupLayoutEntry {
                binding,
                visibility: wgpu::ShaderStages::COMPUTE,
                ty,
                count: None,
            })
            .collect();
        let layout = self
            .device
            .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                label,
                entries: &entries,
            });
        let pipeline_layout = self
            .device
            .create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label,
                bind_group_layouts: &[Some(&layout)],
                immediate_size: 0,
            });
        let pipeline = self
            .device
            .create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label,
                layout: Some(&pipeline_layout),
                module: &module,
                entry_point: Some("main"),
                compilation_options: wgpu::PipelineCompilationOptions {
                    constants: &[],
                    // Kernels write workgroup memory before they read it.
                    zero_initialize_workgroup_memory: false,
                },
                cache: None,
            });
        CompiledKernel { pipeline, layout }
    }

    fn failed(&self, error: impl std::error::Error) -> Trouble {
        Trouble::Failed {
            adapter: self.info.adapter.clone(),
            reason: one_line(&error),
        }
    }
}
