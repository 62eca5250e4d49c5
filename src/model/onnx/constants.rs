//! What a graph computes of constants alone: shapes of its own values, axes, the square root of a
//! head's width. None of it depends on an input, so it is done here, once.
//!
//! The size of an open batch is [`OPEN`], a prime beyond any size of a row: products and quotients
//! of sizes keep it, and a size that it divides is the batch's.

use super::node::int;
use super::reader::{Read, Reader};
use super::rewrite::{attribute, floats_of};
use super::value::{Axis, OPEN, Source, Value, common, places, size_of};
use rten_onnx::onnx::{DataType, NodeProto, TensorProto};

/// Numbers of a constant.
pub(super) enum Numbers {
    Floats(Vec<f32>),
    Whole(Vec<i64>),
}

impl Numbers {
    pub(super) fn into_value(self, sizes: &[usize]) -> Value {
        let of = match self {
            Self::Floats(numbers) => Source::Floats(numbers.into()),
            Self::Whole(numbers) => Source::Whole(numbers.into()),
        };
        Value::constant(of, sizes)
    }

    fn wide(self) -> Vec<f64> {
        match self {
            Self::Floats(numbers) => numbers.into_iter().map(f64::from).collect(),
            Self::Whole(numbers) => numbers.into_iter().map(|n| n as f64).collect(),
        }
    }
}

/// The types of ONNX's tensors by their numbers, as a Cast names them.
const FLOATS: [i64; 4] = [1, 10, 11, 16];
const WHOLE: [i64; 2] = [6, 7];
const BOOL: i64 = 9;

impl Reader<'_> {
    /// A constant of the file.
    pub(super) fn decoded(&self, tensor: &TensorProto) -> Read<Value> {
        let sizes: Option<Vec<usize>> = (tensor.dims.iter())
            .map(|&size| usize::try_from(size).ok())
            .collect();
        let sizes = sizes.ok_or("sizes below 0")?;
        let count = (sizes.iter()).try_fold(1usize, |all, &size| all.checked_mul(size));
        let numbers = match whole_numbers(tensor) {
            Some(none) if none.is_empty() && sizes == [0] => return Ok(Value::list(none)),
            Some(whole) => Numbers::Whole(whole),
            None => {
                let floats = floats_of(tensor, self.data).ok_or("weights of another type")?;
                finite(floats, "weights that are no finite numbers")?
            }
        };
        let found = match &numbers {
            Numbers::Floats(numbers) => numbers.len(),
            Numbers::Whole(numbers) => numbers.len(),
        };
        if count != Some(found) || found == 0 {
            return Err("weights that do not fit their shape".into());
        }
        Ok(numbers.into_value(&sizes))
    }

    /// The numbers of a constant, row by row.
    pub(super) fn numbers(&mut self, value: &Value) -> Read<Numbers> {
        let parts = value.axes.concat();
        if parts.iter().any(|part| part.step.is_none()) {
            return Err("a constant for each row of a batch".into());
        }
        let sizes = parts.iter().map(|part| part.size);
        let count = sizes.fold(1usize, usize::saturating_mul);
        self.spend(count)?;
        let picked = places(value.start, &parts);
        match &value.of {
            Source::Layer(_) => Err("a constant that is computed".into()),
            Source::Floats(of) => Ok(Numbers::Floats(picked.iter().map(|&k| of[k]).collect())),
            Source::Whole(of) => Ok(Numbers::Whole(picked.iter().map(|&k| of[k]).collect())),
        }
    }

    /// A constant that has the batch's size in front, where the file fixes it, as one for every row:
    /// exporters write it out as often.
    pub(super) fn for_each_row(&mut self, constant: Value) -> Read<Value> {
        let of_batch = |axis: &Axis| self.batch > 1 && size_of(axis) == self.batch;
        if !constant.axes.first().is_some_and(of_batch) || self.is_behind_batch(&constant) {
            return Ok(constant);
        }
        let Numbers::Floats(numbers) = self.numbers(&constant)? else {
            return Ok(constant);
        };
        let row = numbers.len() / self.batch;
        if numbers.chunks(row).any(|other| *other != numbers[..row]) {
            return Err("a constant that differs between the rows of a batch".into());
        }
        let mut sizes = constant.sizes();
        let all = sizes.clone();
        sizes[0] = 1;
        let one = Numbers::Floats(numbers[..row].to_vec()).into_value(&sizes);
        let repeated = one.repeated(&all, self.batch);
        repeated.ok_or_else(|| "a constant of other sizes".into())
    }

    /// Floats of a constant input, row by row.
    pub(super) fn floats(&mut self, node: &NodeProto, number: usize) -> Read<Vec<f32>> {
        let value = self.value(node, number)?;
        match self.numbers(&value)? {
            Numbers::Floats(floats) => Ok(floats),
            Numbers::Whole(_) => Err("whole numbers in the place of weights".into()),
        }
    }

    /// Whole numbers of a constant input, or of an attribute in older versions; nothing where the
    /// node has neither.
    pub(super) fn whole(
        &mut self,
        node: &NodeProto,
        number: usize,
        name: &str,
    ) -> Read<Option<Vec<i64>>> {
        if let Some(attribute) = attribute(node, name) {
            return Ok(Some(attribute.ints.clone()));
        }
        if node.input.get(number).is_none_or(String::is_empty) {
            return Ok(None);
        }
        let value = self.value(node, number)?;
        match self.numbers(&value)? {
            Numbers::Whole(numbers) => Ok(Some(numbers)),
            Numbers::Floats(_) => Err("floats in the place of sizes".into()),
        }
    }

    /// The sizes of a value, the batch's included.
    pub(super) fn shape(&mut self, node: &NodeProto) -> Read<Value> {
        let sizes = self.value(node, 0)?.sizes();
        let rank = sizes.len() as i64;
        let at = |name: &str, default: i64| {
            let at = int(node, name, default);
            (if at < 0 { at + rank } else { at }).clamp(0, rank) as usize
        };
        let (start, end) = (at("start", 0), at("end", rank));
        let numbers = sizes[start..end.max(start)].iter().map(|&n| n as i64);
        Ok(Value::list(numbers.collect()))
    }

    /// As many of one number as a list of sizes says.
    pub(super) fn constant_of_shape(&mut self, node: &NodeProto) -> Read<Value> {
        let sizes = self.whole(node, 0, "")?.ok_or("too few inputs")?;
        let sizes: Option<Vec<usize>> = (sizes.iter())
            .map(|&size| usize::try_from(size).ok().filter(|&size| size > 0))
            .collect();
        let one = match attribute(node, "value").and_then(|value| value.t.as_ref()) {
            Some(tensor) => self.decoded(tensor)?,
            None => Value::constant(Source::Floats([0.0].into()), &[]),
        };
        let one = one.reshaped(&[]).ok_or("more than one number")?;
        let sizes = sizes.ok_or("sizes of 0")?;
        let repeated = one.repeated(&sizes, self.batch);
        repeated.ok_or_else(|| format!("the shape {sizes:?}"))
    }

    /// A Constant whose numbers are attributes.
    pub(super) fn constant(&mut self, node: &NodeProto) -> Read<Value> {
        let [attribute] = &node.attribute[..] else {
            return Err("another number of attributes than one".into());
        };
        let one = |number: Option<Numbers>| number.map(|number| number.into_value(&[]));
        let value = match attribute.name.as_deref().unwrap_or_default() {
            "value" => match &attribute.t {
                Some(tensor) => return self.decoded(tensor),
                None => None,
            },
            "value_int" => one(attribute.i.map(|n| Numbers::Whole(vec![n]))),
            "value_float" => one(attribute.f.map(|n| Numbers::Floats(vec![n]))),
            "value_ints" => Some(Value::list(attribute.ints.clone())),
            "value_floats" => {
                let floats = attribute.floats.clone();
                let count = floats.len();
                (count > 0).then(|| Numbers::Floats(floats).into_value(&[count]))
            }
            _ => None,
        };
        value.ok_or_else(|| "a constant that holds no numbers".into())
    }

    /// Another type: of constants as asked for, of values any type of floats.
    pub(super) fn cast(&mut self, node: &NodeProto) -> Read<Value> {
        let from = self.value(node, 0)?;
        let to = int(node, "to", 0);
        if !from.is_constant() {
            let kept = to != 16 && FLOATS.contains(&to);
            return match kept {
                true => Ok(from),
                false => Err(format!("to type {to}")),
            };
        }
        let cast = match (self.numbers(&from)?, to) {
            (Numbers::Floats(floats), to) if FLOATS.contains(&to) => Numbers::Floats(floats),
            (Numbers::Whole(whole), to) if FLOATS.contains(&to) => {
                let of_batch = |&n: &i64| n != 0 && n % OPEN as i64 == 0;
                if self.batch == OPEN && whole.iter().any(of_batch) {
                    return Err("the size of the batch as a number".into());
                }
                Numbers::Floats(whole.into_iter().map(|n| n as f32).collect())
            }
            (Numbers::Whole(whole), to) if WHOLE.contains(&to) => Numbers::Whole(whole),
            (Numbers::Floats(floats), to) if WHOLE.contains(&to) => {
                Numbers::Whole(floats.into_iter().map(|n| n as i64).collect())
            }
            (numbers, BOOL) => {
                let numbers = numbers.wide();
                Numbers::Whole(numbers.iter().map(|&n| i64::from(n != 0.0)).collect())
            }
            (_, to) => return Err(format!("to type {to}")),
        };
        Ok(cast.into_value(&from.sizes()))
    }

    /// The type of another value, of which all that are computed have one.
    pub(super) fn cast_like(&mut self, node: &NodeProto) -> Read<Value> {
        let (from, like) = (self.value(node, 0)?, self.value(node, 1)?);
        match (&from.of, &like.of) {
            (Source::Whole(_), Source::Whole(_)) => Ok(from),
            (_, Source::Whole(_)) | (Source::Whole(_), _) => {
                Err("between floats and whole numbers".into())
            }
            _ => Ok(from),
        }
    }

    /// A function of each number of a constant.
    pub(super) fn of_constant(&mut self, operator: &str, from: &Value) -> Read<Value> {
        let numbers = match (operator, self.numbers(from)?) {
            ("Neg", Numbers::Whole(numbers)) => {
                Numbers::Whole(numbers.iter().map(|n| n.wrapping_neg()).collect())
            }
            (_, Numbers::Whole(_)) => return Err("of whole numbers".into()),
            (_, Numbers::Floats(numbers)) => {
                let function = match operator {
                    "Sqrt" => f64::sqrt,
                    "Neg" => |n: f64| -n,
                    "Reciprocal" => |n: f64| 1.0 / n,
                    "Exp" => f64::exp,
                    "Floor" => f64::floor,
                    "Ceil" => f64::ceil,
                    _ => return Err("of a constant".into()),
                };
                let each = numbers.iter().map(|&n| function(f64::from(n)) as f32);
                finite(each.collect(), NOT_FINITE)?
            }
        };
        Ok(numbers.into_value(&from.sizes()))
    }

    /// A function of each two numbers of constants, repeated where shapes differ.
    pub(super) fn of_constants(&mut self, operator: &str, a: &Value, b: &Value) -> Read<Value> {
        let sizes = common(&a.sizes(), &b.sizes()).ok_or("constants of other shapes")?;
        let [a, b] = [a, b].map(|side| side.repeated(&sizes, 0));
        let (a, b) = a.zip(b).ok_or("constants of other shapes")?;
        let numbers = match (self.numbers(&a)?, self.numbers(&b)?) {
            (Numbers::Whole(a), Numbers::Whole(b)) => {
                let of = |(&a, &b): (&i64, &i64)| match operator {
                    "Add" => a.checked_add(b),
                    "Sub" => a.checked_sub(b),
                    "Mul" => a.checked_mul(b),
                    "Div" => a.checked_div(b),
                    "Mod" => a.checked_rem_euclid(b).filter(|_| b > 0),
                    "Max" => Some(a.max(b)),
                    "Min" => Some(a.min(b)),
                    "Equal" => Some(i64::from(a == b)),
                    "Less" => Some(i64::from(a < b)),
                    "Greater" => Some(i64::from(a > b)),
                    _ => None,
                };
                let all: Option<Vec<i64>> = a.iter().zip(&b).map(of).collect();
                Numbers::Whole(all.ok_or("of whole numbers")?)
            }
            (Numbers::Floats(a), Numbers::Floats(b)) => {
                let of = |(&a, &b): (&f32, &f32)| {
                    let (a, b) = (f64::from(a), f64::from(b));
                    match operator {
                        "Add" => Some(a + b),
                        "Sub" => Some(a - b),
                        "Mul" => Some(a * b),
                        "Div" => Some(a / b),
                        "Pow" => Some(a.powf(b)),
                        "Max" => Some(a.max(b)),
                        "Min" => Some(a.min(b)),
                        _ => None,
                    }
                };
                let all: Option<Vec<f32>> = (a.iter().zip(&b))
                    .map(|both| of(both).map(|n| n as f32))
                    .collect();
                finite(all.ok_or("of constants")?, NOT_FINITE)?
            }
            _ => return Err("constants of two types".into()),
        };
        Ok(numbers.into_value(&sizes))
    }

    /// Numbers of one constant or another, as a third says.
    pub(super) fn choice(&mut self, node: &NodeProto) -> Read<Value> {
        let [which, a, b] = [
            self.value(node, 0)?,
            self.value(node, 1)?,
            self.value(node, 2)?,
        ];
        let sizes = common(&a.sizes(), &b.sizes());
        let sizes = sizes.and_then(|sizes| common(&sizes, &which.sizes()));
        let sizes = sizes.ok_or("values of other shapes")?;
        let all = [which, a, b].map(|value| value.repeated(&sizes, 0));
        let [Some(which), Some(a), Some(b)] = &all else {
            return Err("values of other shapes".into());
        };
        let chosen = match (self.numbers(which)?, self.numbers(a)?, self.numbers(b)?) {
            (Numbers::Whole(which), Numbers::Whole(a), Numbers::Whole(b)) => {
                Numbers::Whole(either(&which, &a, &b))
            }
            (Numbers::Whole(which), Numbers::Floats(a), Numbers::Floats(b)) => {
                Numbers::Floats(either(&which, &a, &b))
            }
            _ => return Err("constants of two types".into()),
        };
        Ok(chosen.into_value(&sizes))
    }

    /// Whole numbers from one to another.
    pub(super) fn range(&mut self, node: &NodeProto) -> Read<Value> {
        let mut number = |at: usize| match self.whole(node, at, "")?.as_deref() {
            Some(&[number]) => Ok(number),
            _ => Err("other bounds than whole numbers".to_owned()),
        };
        let (start, limit, step) = (number(0)?, number(1)?, number(2)?);
        let count = match step {
            1.. => limit.checked_sub(start),
            _ => None,
        };
        let count = count
            .map_or(0, |all| all.max(0) as u64)
            .div_ceil(step.max(1) as u64);
        self.spend(usize::try_from(count).unwrap_or(usize::MAX))?;
        match count {
            0 => Err("no numbers".into()),
            count => Ok(Value::list(
                (0..count as i64).map(|k| start + k * step).collect(),
            )),
        }
    }
}

fn either<T: Copy>(which: &[i64], a: &[T], b: &[T]) -> Vec<T> {
    let both = a.iter().zip(b);
    let chosen = which.iter().zip(both);
    chosen
        .map(|(&which, (&a, &b))| if which != 0 { a } else { b })
        .collect()
}

const NOT_FINITE: &str = "of constants, and no finite number";

fn finite(numbers: Vec<f32>, otherwise: &str) -> Read<Numbers> {
    match numbers.iter().all(|number| number.is_finite()) {
        true => Ok(Numbers::Floats(numbers)),
        false => Err(otherwise.to_owned()),
    }
}

/// The whole numbers and truth values of a tensor; nothing for floats and other types.
pub(super) fn whole_numbers(tensor: &TensorProto) -> Option<Vec<i64>> {
    let bytes = tensor.raw_data.as_ref().map(|bytes| bytes.borrow());
    Some(match (tensor.data_type?, bytes) {
        (DataType::INT64, Some(bytes)) => {
            let (words, rest) = bytes.as_chunks();
            let numbers = words.iter().map(|&word| i64::from_le_bytes(word));
            rest.is_empty().then(|| numbers.collect())?
        }
        (DataType::INT32, Some(bytes)) => {
            let (words, rest) = bytes.as_chunks();
            let numbers = words
                .iter()
                .map(|&word| i64::from(i32::from_le_bytes(word)));
            rest.is_empty().then(|| numbers.collect())?
        }
        (DataType::BOOL, Some(bytes)) => bytes.iter().map(|&byte| i64::from(byte)).collect(),
        (DataType::INT64, None) => tensor.int64_data.clone(),
        (DataType::INT32 | DataType::BOOL, None) => {
            tensor.int32_data.iter().map(|&n| i64::from(n)).collect()
        }
        _ => return None,
    })
}
