// The lookups of districts and streets know which city is chosen beside them, or is the order's for good.
"use strict";
{
  const $ = django.jQuery;
  const chosen = () =>
    document.getElementById("id_city")?.value || document.querySelector("select[data-city]")?.dataset.city || "";

  $.ajaxPrefilter((options) => {
    if (options.url.includes("/autocomplete/") && chosen()) {
      options.data = `${options.data || ""}&city=${encodeURIComponent(chosen())}`;
    }
  });
  $(() => {
    let before = chosen();
    $("#id_city").on("change", () => {
      if (before && before !== chosen()) $("#id_district, #id_street").val(null).trigger("change");
      before = chosen();
    });
  });
}
