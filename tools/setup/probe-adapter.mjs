// Run as a child process: opens the adapter that its environment leads to, computes 6 * 7 on it, prints one line of JSON.

import { create, globals } from "webgpu";

const gpu = create(["enable-dawn-features=allow_unsafe_apis,vulkan_enable_f16_on_nvidia"]);
// Dawn ends with the object that create() returns: a global keeps it to the last line.
Object.assign(globalThis, globals, { dawn: gpu });

const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
if (!adapter) throw new Error("Dawn found no adapter");
const device = await adapter.requestDevice();
const size = 4;
const result = device.createBuffer({ size, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
const staging = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
const code =
  "@group(0) @binding(0) var<storage, read_write> y: u32; @compute @workgroup_size(1) fn main() { y = 6 * 7; }";
const pipeline = await device.createComputePipelineAsync({
  layout: "auto",
  compute: { module: device.createShaderModule({ code }) },
});
const layout = pipeline.getBindGroupLayout(0);
const entries = [{ binding: 0, resource: { buffer: result } }];
const encoder = device.createCommandEncoder();
const pass = encoder.beginComputePass();
pass.setPipeline(pipeline);
pass.setBindGroup(0, device.createBindGroup({ layout, entries }));
pass.dispatchWorkgroups(1);
pass.end();
encoder.copyBufferToBuffer(result, 0, staging, 0, size);
device.queue.submit([encoder.finish()]);
await staging.mapAsync(GPUMapMode.READ);
const [answer] = new Uint32Array(staging.getMappedRange().slice(0));
if (answer !== 42) throw new Error(`a trivial shader gave ${answer} in place of 42`);

const { vendor, architecture, device: model, description, isFallbackAdapter } = adapter.info;
const text = `${vendor} ${architecture} ${model} ${description}`;
const software = isFallbackAdapter === true || /swiftshader|llvmpipe|lavapipe|basic render/i.test(text);
const mesa = /llvmpipe.*(Mesa [\d.]+)/.exec(text)?.[1];
const shortName = mesa ? `lavapipe, ${mesa}` : /swiftshader/i.exec(text) && "SwiftShader";
const name = shortName || description || model || [vendor, architecture].filter(Boolean).join(" ") || "unnamed adapter";
console.log(JSON.stringify({ name, software }));
device.destroy();
