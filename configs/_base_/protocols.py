"""How published figures were measured. The `result` of a config takes its sentence from here."""

protocols = dict(
    mmpose='inter-ocular NME in %, flip test, box from the annotation, best epoch on the test set',
    mmpose_val='inter-ocular NME in %, flip test, box from the annotation, best epoch on the validation set',
    mmpose_lapa='inter-ocular NME in % on LaPa, flip test, box from the annotation, best epoch on the test set',
    mmpose_aflw='NME over the box size of the file in %, flip test, box from the annotation, best epoch on the test set',
    mmpose0='inter-ocular NME in %, flip test with model.codec.flip=mmpose0, box from the annotation, best epoch on the test set',
    tight_box='inter-ocular NME in %, no flip test, tight box of the landmarks, best epoch on the test set',
)
