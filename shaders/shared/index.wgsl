// Dispatches of more workgroups than one dimension takes are folded into rows; this undoes it.
fn linear_workgroup(workgroup: vec3<u32>, num_workgroups: vec3<u32>) -> u32 {
    return workgroup.y * num_workgroups.x + workgroup.x;
}
