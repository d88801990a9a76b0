//! Compiles our CUDA kernels to PTX where the `cuda` feature is on.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/model/ops/cuda");
    #[cfg(feature = "cuda")]
    {
        let names = [
            "dropout",
            "rms_norm",
            "rope",
            "swiglu",
            "padding",
            "softmax",
            "cross_entropy",
            "nf4",
            "ggml",
            "adamw",
            "lookup",
        ];
        let kernels = cudaforge::KernelBuilder::new()
            .source_files(names.map(|name| format!("src/model/ops/cuda/{name}.cu")))
            .arg("-std=c++17")
            .arg("-O3")
            .build_ptx()?;
        kernels.write(std::path::Path::new(&std::env::var("OUT_DIR")?).join("ptx.rs"))?;
    }
    Ok(())
}
