"""A random forest on a DataFrame: rows are mixed, and the forest is given DataFrames.

Needs scikit-learn and pandas; run it with `python forest_on_a_dataframe.py`.
"""

# %% A fitted estimator, on a DataFrame with names of columns
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

import morphscape as ms

iris = load_iris(as_frame=True)
species = iris.target.map(dict(enumerate(iris.target_names)))
forest = RandomForestClassifier(n_estimators=50, random_state=0).fit(iris.data, species)

# %% One landscape, between three rows
three = [iris.data.iloc[[n]] for n in (0, 50, 100)]
one = ms.landscape(forest, *three, steps=11)
print(one)
print("classes:", ", ".join(one.classes))
print("regions:", one.measures["regions_4"], "intrusion:", one.measures["intrusion"])
assert one.item_predicted == ("setosa", "versicolor", "virginica")

# %% Landscapes between rows that a seed chooses; most irregular first
swept = ms.sweep(forest, iris.data, species, groups=5, seed=1, steps=11)
for note in swept.notes:
    print("note:", note)
frame = swept.to_frame()
print(frame.sort_values("total_variation", ascending=False)[["landscape", "total_variation", "label_changes"]].head(3))
assert len(frame) == 15
