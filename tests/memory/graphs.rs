//! ONNX graphs that no exporter writes: they are errors, or they are read in bounded memory.

use crate::{MEMORY, alone};
use morphscape::model::{Model, ModelError, ModelOptions, read_model};

/// A message of the file: fields in their order.
#[derive(Default, Clone)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn number(mut self, field: u64, number: u64) -> Self {
        self.varint(field << 3);
        self.varint(number);
        self
    }

    fn bytes(mut self, field: u64, bytes: &[u8]) -> Self {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }

    fn text(self, field: u64, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }
}

fn node(operator: &str, inputs: &[&str], output: &str) -> Message {
    let node = inputs
        .iter()
        .fold(Message::default(), |node, input| node.text(1, input));
    node.text(2, output).text(4, operator)
}

fn transpose(input: &str, output: &str) -> Message {
    let order = [0, 2, 1]
        .iter()
        .fold(Message::default().text(1, "perm"), |perm, &axis| {
            perm.number(8, axis)
        });
    node("Transpose", &[input], output).bytes(5, &order.number(20, 7).0)
}

fn floats(name: &str, sizes: &[u64], values: usize) -> Message {
    let tensor = sizes
        .iter()
        .fold(Message::default(), |tensor, &size| tensor.number(1, size));
    let raw: Vec<u8> = (0..values)
        .flat_map(|k| (0.01 * (k % 7) as f32).to_le_bytes())
        .collect();
    tensor.number(2, 1).text(8, name).bytes(9, &raw)
}

fn whole(name: &str, numbers: &[i64]) -> Message {
    let raw: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
    let tensor = Message::default().number(1, numbers.len() as u64);
    tensor.number(2, 7).text(8, name).bytes(9, &raw)
}

/// A value of floats, its batch open.
fn value(name: &str, sizes: &[u64]) -> Message {
    let open = Message::default().text(2, "n");
    let mut shape = Message::default().bytes(1, &open.0);
    for &size in sizes {
        shape = shape.bytes(1, &Message::default().number(1, size).0);
    }
    let tensor = Message::default().number(1, 1).bytes(2, &shape.0);
    let kind = Message::default().bytes(1, &tensor.0);
    Message::default().text(1, name).bytes(2, &kind.0)
}

/// Reads the graph of these nodes, from `x` `[n, 3, 4]` to `y`.
fn read(nodes: &[Message], tensors: &[Message]) -> Result<Model, ModelError> {
    let mut graph = Message::default();
    for node in nodes {
        graph = graph.bytes(1, &node.0);
    }
    graph = graph.text(2, "graph");
    for tensor in tensors {
        graph = graph.bytes(5, &tensor.0);
    }
    graph = graph
        .bytes(11, &value("x", &[3, 4]).0)
        .bytes(12, &value("y", &[2]).0);
    let version = Message::default().number(2, 17);
    let model = Message::default()
        .number(1, 8)
        .bytes(8, &version.0)
        .bytes(7, &graph.0);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("graph.onnx");
    std::fs::write(&path, &model.0).expect("written");
    read_model(&path, &ModelOptions::default())
}

/// The end of a network: all values of `from` to two classes.
fn end(from: &str) -> [Message; 2] {
    [
        node("Flatten", &[from], "flat"),
        node("Gemm", &["flat", "w"], "y"),
    ]
}

const END: [u64; 2] = [12, 2];

#[test]
fn graphs_that_cannot_be_computed_are_errors() {
    let _alone = alone();
    let weights = [floats("w", &END, 24)];
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let refused = |what: &str, mut nodes: Vec<Message>, from: &str, tensors: &[Message]| {
        nodes.extend(end(from));
        assert!(read(&nodes, tensors).is_err(), "{what}");
    };
    refused(
        "nothing given",
        vec![node("Relu", &["none"], "a")],
        "a",
        &weights,
    );
    refused("no weights", vec![node("Relu", &["x"], "a")], "a", &[]);
    let circle = vec![node("Add", &["x", "b"], "a"), node("Relu", &["a"], "b")];
    refused("a circle", circle, "b", &weights);
    let tensors = [weights[0].clone(), floats("v", &[5, 4], 20)];
    let other = vec![node("MatMul", &["x", "v"], "a")];
    refused("matrices that do not fit", other, "a", &tensors);
    let other = vec![node("Add", &["x", "v"], "a")];
    refused("sums that do not fit", other, "a", &tensors);
    let claims = [weights[0].clone(), floats("v", &[1 << 20, 1 << 20], 20)];
    let other = vec![node("MatMul", &["x", "v"], "a")];
    refused("weights that are not there", other, "a", &claims);
    let peak = MEMORY.peak_usage() - before;
    assert!(peak < 100 << 20, "{} MiB", peak >> 20);
}

#[test]
fn sizes_that_a_graph_computes_are_bounded() {
    let _alone = alone();
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let refused = |what: &str, nodes: &[Message], tensors: &[Message]| {
        let read = read(nodes, tensors).map(|model| model.network().to_string());
        let error = read.expect_err(what).to_string();
        let bounds = ["at most 268435456 values", "at most 67108864 values"];
        assert!(
            bounds.iter().any(|bound| error.contains(bound)),
            "{what}: {error}"
        );
    };
    // A billion numbers of one, 2^5 * 2^5 along each of three axes.
    let tensors = [
        floats("w", &END, 24),
        floats("one", &[1], 1),
        whole("side", &[32, 32, 32]),
    ];
    let repeated = [
        node("Mul", &["side", "side"], "sizes"),
        node("Expand", &["one", "sizes"], "many"),
        node("ReduceMax", &["many"], "most"),
        node("Add", &["x", "most"], "sum"),
    ];
    let nodes = [&repeated[..], &end("sum")].concat();
    refused("a constant", &nodes, &tensors);
    // Where the library runs the rest, too: it would make the constant when it is given the graph.
    let unknown = [node("Det", &["x"], "det")];
    let nodes = [&unknown[..], &repeated, &end("sum")].concat();
    refused("a constant behind what has no kernel", &nodes, &tensors);

    // Sizes below 0, which the library takes for huge ones: given, computed, and of constants that do not go
    // together, so that nobody can tell.
    let wrong = |what: &str, sizes: &[Message], size: &str, tensors: &[Message], words: &str| {
        let spread = [
            node("Expand", &["one", size], "many"),
            node("Add", &["x", "many"], "sum"),
        ];
        let nodes = [sizes, &spread, &end("sum")].concat();
        let read = read(&nodes, tensors).map(|model| model.network().to_string());
        let error = read.expect_err(what).to_string();
        assert!(error.contains(words), "{what}: {error}");
    };
    let tensors = [
        floats("w", &END, 24),
        floats("one", &[1], 1),
        whole("below", &[1, -3, -4]),
        whole("minus", &[-1]),
        whole("pair", &[3, 4]),
        whole("three", &[1, 3, 4]),
    ];
    wrong("given", &[], "below", &tensors, "sizes of 0 or more");
    let negative = [node("Mul", &["three", "minus"], "sizes")];
    wrong(
        "computed",
        &negative,
        "sizes",
        &tensors,
        "sizes of 0 or more",
    );
    let apart = [node("Mul", &["three", "pair"], "sizes")];
    wrong(
        "apart",
        &apart,
        "sizes",
        &tensors,
        "sizes that can be worked out",
    );

    // Sums of a column and a row: of 12 values 144, 20,736 and 429,981,696.
    let rows = |sizes: [i64; 3]| whole(&format!("as_{}_{}", sizes[1], sizes[2]), &sizes);
    let mut tensors = vec![floats("w", &[1, 2], 2)];
    let (mut nodes, mut from) = (Vec::new(), "x".to_owned());
    for count in [12, 144, 20_736] {
        tensors.extend([rows([-1, count, 1]), rows([-1, 1, count])]);
        let sides = [format!("as_{count}_1"), format!("as_1_{count}")];
        let sum = format!("sum_{count}");
        let name = |side: &String| format!("{sum}_{side}");
        for side in &sides {
            nodes.push(node("Reshape", &[&from, side], &name(side)));
        }
        nodes.push(node("Add", &[&name(&sides[0]), &name(&sides[1])], &sum));
        from = sum;
    }
    nodes.push(node("GlobalMaxPool", &[&from], "most"));
    nodes.extend([
        node("Flatten", &["most"], "flat"),
        node("ReduceMax", &["flat"], "row"),
        node("Gemm", &["row", "w"], "y"),
    ]);
    refused("values", &nodes, &tensors);
    let peak = MEMORY.peak_usage() - before;
    assert!(peak < 100 << 20, "{} MiB", peak >> 20);
}

#[test]
fn ten_thousand_nodes_are_read_in_bounded_memory() {
    let _alone = alone();
    let weights = [floats("w", &END, 24)];
    let names: Vec<String> = (0..=10_000).map(|n| format!("v{n}")).collect();
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let mut nodes = vec![node("Relu", &["x"], "v0")];
    for pair in names.windows(2) {
        nodes.push(transpose(&pair[0], &pair[1]));
    }
    nodes.extend(end("v10000"));
    let model = read(&nodes, &weights).expect("transposes that undo each other");
    assert!(!model.runs_on_host(), "{}", model.network());
    assert_eq!(model.steps().len(), 2, "nothing moves");
    let peak = MEMORY.peak_usage() - before;
    assert!(peak < 100 << 20, "{} MiB", peak >> 20);
}
